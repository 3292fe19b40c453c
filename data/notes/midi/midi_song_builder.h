// SPDX-License-Identifier: Apache-2.0

// Collects the events of a file's tracks into a MidiSong by the rules of
// pretty_midi 0.2, which Magenta reads with: what closes a note, which
// instrument it belongs to, where controls ahead of the first note go.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_SONG_BUILDER_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_SONG_BUILDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/notes/midi/midi_faults.h"
#include "data/notes/midi/midi_song.h"

namespace continuo {

class MidiSongBuilder {
 public:
  // `faults` counts the notes that are left out.
  MidiSongBuilder(MidiSong* song, MidiFaults* faults)
      : song_(song), faults_(faults) {}

  void StartTrack();
  // What is still open is left out.
  void EndTrack() { faults_->Add(MidiFault::kEndlessNote, num_open_); }
  // What is still open ends at `tick`.
  void CutTrack(uint32_t tick);
  // `name` in Latin-1. Instruments made later in this track have it.
  void TrackName(absl::string_view name);

  // channel in 0..15, data in 0..127, ticks not decreasing within a track.
  void Program(int channel, int program) {
    channels_[channel].program = program;
  }
  void NoteOn(int channel, int pitch, int velocity, uint32_t tick);
  // Closes all open notes of the channel and pitch except those that began on
  // this tick; if there are only such ones, they are dropped.
  void NoteOff(int channel, int pitch, uint32_t tick);
  void Control(int channel, int number, int value, uint32_t tick) {
    song_->controls.push_back({tick, EventList(channel),
                               static_cast<uint8_t>(number),
                               static_cast<uint8_t>(value)});
  }
  void Bend(int channel, int bend, uint32_t tick) {
    song_->bends.push_back(
        {tick, EventList(channel), static_cast<int16_t>(bend)});
  }

  // Everything collected so far, to return to. The song is the builder's.
  struct Mark;
  Mark SetMark() const;
  void ReturnTo(const Mark& mark);

 private:
  static constexpr uint32_t kNone = 0xffffffff;

  // Open notes of one channel and pitch form a ring, oldest first, of which
  // `Channel::newest` knows the last.
  struct OpenNote {
    uint32_t tick;
    uint32_t next;
    uint8_t velocity;
  };
  struct Channel {
    int program = 0;
    bool used = true;                       // so that the first track resets
    uint32_t list = kNone;                  // of events ahead of an instrument
    std::array<uint32_t, 128> newest;       // per pitch, into open_
    std::array<uint32_t, 128> instruments;  // per program
  };

  uint32_t Instrument(int channel);
  uint32_t EventList(int channel);
  void Free(uint32_t open);

  MidiSong* song_;
  MidiFaults* faults_;
  uint32_t name_ = 0;  // of the track, into song_->names
  std::array<Channel, 16> channels_;
  std::vector<OpenNote> open_;
  uint32_t free_ = kNone;  // chain of unused entries of open_
  int64_t num_open_ = 0;
};

struct MidiSongBuilder::Mark {
  MidiSongBuilder builder;
  MidiFaults faults;
  size_t notes, controls, bends, instruments, names, tempos, meters, keys;
  uint32_t num_lists;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_SONG_BUILDER_H_
