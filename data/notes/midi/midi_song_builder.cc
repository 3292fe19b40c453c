// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_song_builder.h"

#include <utility>

namespace continuo {

void MidiSongBuilder::StartTrack() {
  for (Channel& channel : channels_) {
    channel.program = 0;
    if (!channel.used) continue;
    channel.used = false;
    channel.list = kNone;
    channel.newest.fill(kNone);
    channel.instruments.fill(kNone);
  }
  name_ = 0;
  open_.clear();
  free_ = kNone;
  num_open_ = 0;
}

void MidiSongBuilder::CutTrack(uint32_t tick) {
  for (int channel = 0; channel < 16 && num_open_ > 0; ++channel) {
    for (int pitch = 0; pitch < 128; ++pitch) {
      const size_t closed = song_->notes.size();
      // The second time for what began on this tick.
      NoteOff(channel, pitch, tick);
      NoteOff(channel, pitch, tick);
      faults_->Add(MidiFault::kCutNote,
                   static_cast<int64_t>(song_->notes.size() - closed));
    }
  }
}

MidiSongBuilder::Mark MidiSongBuilder::SetMark() const {
  return {*this,
          *faults_,
          song_->notes.size(),
          song_->controls.size(),
          song_->bends.size(),
          song_->instruments.size(),
          song_->names.size(),
          song_->tempos.size(),
          song_->meters.size(),
          song_->keys.size(),
          song_->num_lists};
}

void MidiSongBuilder::ReturnTo(const Mark& mark) {
  MidiSong* song = mark.builder.song_;
  const auto shorten = [](size_t size, auto* list) {
    list->erase(list->begin() + static_cast<int64_t>(size), list->end());
  };
  shorten(mark.notes, &song->notes);
  shorten(mark.controls, &song->controls);
  shorten(mark.bends, &song->bends);
  shorten(mark.instruments, &song->instruments);
  shorten(mark.names, &song->names);
  shorten(mark.tempos, &song->tempos);
  shorten(mark.meters, &song->meters);
  shorten(mark.keys, &song->keys);
  song->num_lists = mark.num_lists;
  *mark.builder.faults_ = mark.faults;
  *this = mark.builder;
}

void MidiSongBuilder::TrackName(absl::string_view name) {
  std::string utf8;
  for (const char c : name) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      utf8.push_back(c);
    } else {
      utf8.push_back(static_cast<char>(0xc0 | code >> 6));
      utf8.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
  }
  name_ = 0;
  if (utf8.empty()) return;
  name_ = static_cast<uint32_t>(song_->names.size());
  song_->names.push_back(std::move(utf8));
}

void MidiSongBuilder::NoteOn(int channel, int pitch, int velocity,
                             uint32_t tick) {
  uint32_t index = free_;
  if (index != kNone) {
    free_ = open_[index].next;
  } else {
    index = static_cast<uint32_t>(open_.size());
    open_.emplace_back();
  }
  ++num_open_;
  channels_[channel].used = true;
  uint32_t& newest = channels_[channel].newest[pitch];
  OpenNote& note = open_[index];
  note.tick = tick;
  note.velocity = static_cast<uint8_t>(velocity);
  if (newest == kNone) {
    note.next = index;
  } else {
    note.next = open_[newest].next;
    open_[newest].next = index;
  }
  newest = index;
}

void MidiSongBuilder::Free(uint32_t open) {
  open_[open].next = free_;
  free_ = open;
  --num_open_;
}

void MidiSongBuilder::NoteOff(int channel, int pitch, uint32_t tick) {
  uint32_t& newest = channels_[channel].newest[pitch];
  if (newest == kNone) return;
  const uint32_t last = newest;
  uint32_t open = open_[last].next;
  bool closed_any = false;
  for (;;) {
    const OpenNote note = open_[open];
    if (note.tick == tick) break;  // and so are all newer ones
    song_->notes.push_back({note.tick, tick, Instrument(channel),
                            static_cast<uint8_t>(pitch), note.velocity});
    closed_any = true;
    Free(open);
    if (open == last) {
      newest = kNone;
      return;
    }
    open = note.next;
  }
  if (closed_any) {
    open_[last].next = open;  // notes that began on this tick keep sounding
    return;
  }
  newest = kNone;
  for (;;) {
    const uint32_t next = open_[open].next;
    faults_->Add(MidiFault::kEmptyNote);
    Free(open);
    if (open == last) return;
    open = next;
  }
}

uint32_t MidiSongBuilder::Instrument(int channel) {
  Channel& state = channels_[channel];
  uint32_t& instrument = state.instruments[state.program];
  if (instrument == kNone) {
    instrument = static_cast<uint32_t>(song_->instruments.size());
    const uint32_t list = state.list != kNone ? state.list : song_->num_lists++;
    song_->instruments.push_back({state.program, channel == 9, name_, list});
  }
  return instrument;
}

uint32_t MidiSongBuilder::EventList(int channel) {
  Channel& state = channels_[channel];
  state.used = true;
  const uint32_t instrument = state.instruments[state.program];
  if (instrument != kNone) return song_->instruments[instrument].list;
  if (state.list == kNone) state.list = song_->num_lists++;
  return state.list;
}

}  // namespace continuo
