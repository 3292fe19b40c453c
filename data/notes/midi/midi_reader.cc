// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_reader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/notes/midi/midi_parser.h"
#include "data/notes/midi/midi_song.h"
#include "data/notes/midi/midi_tempo.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

// Of all instruments together; those of one track repeat its name, which may
// be as long as the file.
constexpr size_t kMaxNameBytes = size_t{1} << 24;

// Frames per second of a division with SMPTE time; 29 stands for 29.97.
double FramesPerSecond(int16_t division) {
  const int frames = -(division >> 8);
  return frames == 29 ? 30000.0 / 1001.0 : frames;
}

// Seconds of ticks, and tempos as pretty_midi restates them: rounded through
// the tick scale, repetitions left out, the default in front.
TempoMap MakeTempoMap(const MidiSong& song) {
  if (song.division < 0) {
    return TempoMap(1.0 /
                    (FramesPerSecond(song.division) * (song.division & 0xff)));
  }
  const double resolution = song.division;
  TempoMap map(60.0 / (120.0 * resolution));
  for (const MidiTempo& tempo : song.tempos) {
    const double qpm = 6e7 / tempo.microseconds_per_quarter;
    const double scale = 60.0 / (qpm * resolution);
    if (tempo.tick == 0) {
      map = TempoMap(scale);
    } else if (scale != map.segments().back().scale) {
      map.Append(tempo.tick, scale);
    }
  }
  return map;
}

void AddTempos(const MidiSong& song, const TempoMap& map,
               NoteSequence* sequence) {
  if (song.division < 0) {
    const double per_half_second =
        FramesPerSecond(song.division) * (song.division & 0xff) / 2;
    sequence->set_ticks_per_quarter(
        static_cast<int>(std::lround(per_half_second)));
    NoteSequence::Tempo* tempo = sequence->add_tempos();
    tempo->set_qpm(120.0);
    return;
  }
  sequence->set_ticks_per_quarter(song.division);
  for (const TempoMap::Segment& segment : map.segments()) {
    NoteSequence::Tempo* tempo = sequence->add_tempos();
    tempo->set_time(segment.start);
    tempo->set_qpm(60.0 / (segment.scale * song.division));
  }
}

void AddMetersAndKeys(const MidiSong& song, const TempoMap& map,
                      NoteSequence* sequence) {
  size_t hint = 0;
  for (const MidiMeter& meter : song.meters) {
    NoteSequence::TimeSignature* signature = sequence->add_time_signatures();
    signature->set_time(map.Seconds(meter.tick, &hint));
    signature->set_numerator(meter.numerator);
    signature->set_denominator(meter.denominator);
  }
  for (const MidiKey& key : song.keys) {
    // A sharp is a fifth up, and A minor has the signature of C major.
    const int tonic = 7 * (key.sharps + 12) + (key.is_minor ? 9 : 0);
    NoteSequence::KeySignature* signature = sequence->add_key_signatures();
    signature->set_time(map.Seconds(key.tick, &hint));
    signature->set_key(
        static_cast<NoteSequence::KeySignature::Key>(tonic % 12));
    signature->set_mode(key.is_minor ? NoteSequence::KeySignature::MINOR
                                     : NoteSequence::KeySignature::MAJOR);
  }
}

void AddNotes(const MidiSong& song, const TempoMap& map,
              NoteSequence* sequence) {
  // Sorted by instrument, otherwise as they are: count, then place.
  std::vector<int> position(song.instruments.size() + 1);
  for (const MidiNote& note : song.notes) ++position[note.instrument + 1];
  for (size_t i = 1; i < position.size(); ++i) position[i] += position[i - 1];
  auto* notes = sequence->mutable_notes();
  notes->Reserve(static_cast<int>(song.notes.size()));
  for (size_t i = 0; i < song.notes.size(); ++i) notes->Add();
  size_t hint = 0;
  double total_time = 0;
  for (const MidiNote& source : song.notes) {
    const MidiInstrument& instrument = song.instruments[source.instrument];
    NoteSequence::Note* note = notes->Mutable(position[source.instrument]++);
    const double end_time = map.Seconds(source.end_tick, &hint);
    note->set_pitch(source.pitch);
    note->set_velocity(source.velocity);
    note->set_start_time(map.Seconds(source.start_tick, &hint));
    note->set_end_time(end_time);
    note->set_instrument(static_cast<int>(source.instrument));
    note->set_program(instrument.program);
    note->set_is_drum(instrument.is_drum);
    total_time = std::max(total_time, end_time);
  }
  sequence->set_total_time(total_time);
}

// The events of each list in order: list i has those at
// [begin[i], begin[i + 1]) of `events`.
template <typename Event>
struct EventsByList {
  std::vector<uint32_t> begin;
  std::vector<Event> events;

  EventsByList(const std::vector<Event>& source, uint32_t num_lists)
      : begin(num_lists + 1), events(source.size()) {
    for (const Event& event : source) ++begin[event.list + 1];
    for (uint32_t i = 0; i < num_lists; ++i) begin[i + 1] += begin[i];
    std::vector<uint32_t> position(begin.begin(), begin.end() - 1);
    for (const Event& event : source) events[position[event.list]++] = event;
  }
  uint32_t size(uint32_t list) const { return begin[list + 1] - begin[list]; }
};

// Calls add(event, instrument number) for all events that belong to an
// instrument, instrument by instrument.
template <typename Event, typename Add>
void ForEachEvent(const MidiSong& song, const EventsByList<Event>& by_list,
                  Add add) {
  for (size_t i = 0; i < song.instruments.size(); ++i) {
    const uint32_t list = song.instruments[i].list;
    for (uint32_t e = by_list.begin[list]; e < by_list.begin[list + 1]; ++e) {
      add(by_list.events[e], static_cast<int>(i));
    }
  }
}

absl::Status AddControlsAndBends(const MidiSong& song, const TempoMap& map,
                                 NoteSequence* sequence) {
  const EventsByList<MidiBend> bends(song.bends, song.num_lists);
  const EventsByList<MidiControl> controls(song.controls, song.num_lists);
  // Instruments that share a list multiply its events.
  int64_t num_events = static_cast<int64_t>(song.notes.size());
  for (const MidiInstrument& instrument : song.instruments) {
    num_events += bends.size(instrument.list) + controls.size(instrument.list);
  }
  if (num_events > kMaxMidiEvents) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "more events than the limit of ", kMaxMidiEvents, ": ", num_events));
  }
  size_t hint = 0;
  ForEachEvent(song, bends, [&](const MidiBend& event, int instrument) {
    NoteSequence::PitchBend* bend = sequence->add_pitch_bends();
    bend->set_time(map.Seconds(event.tick, &hint));
    bend->set_bend(event.bend);
    bend->set_instrument(instrument);
    bend->set_program(song.instruments[instrument].program);
    bend->set_is_drum(song.instruments[instrument].is_drum);
  });
  ForEachEvent(song, controls, [&](const MidiControl& event, int instrument) {
    NoteSequence::ControlChange* control = sequence->add_control_changes();
    control->set_time(map.Seconds(event.tick, &hint));
    control->set_control_number(event.number);
    control->set_control_value(event.value);
    control->set_instrument(instrument);
    control->set_program(song.instruments[instrument].program);
    control->set_is_drum(song.instruments[instrument].is_drum);
  });
  return absl::OkStatus();
}

absl::Status AddNames(const MidiSong& song, NoteSequence* sequence) {
  size_t size = 0;
  for (size_t i = 0; i < song.instruments.size(); ++i) {
    const std::string& name = song.names[song.instruments[i].name];
    if (name.empty()) continue;
    size += name.size();
    if (size > kMaxNameBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("longer instrument names than the limit of ",
                       kMaxNameBytes, " bytes: instrument ", i));
    }
    NoteSequence::InstrumentInfo* info = sequence->add_instrument_infos();
    info->set_name(name);
    info->set_instrument(static_cast<int>(i));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadMidi(absl::string_view bytes, NoteSequence* sequence,
                      const ReadOptions& options, ReadReport* report) {
  sequence->Clear();
  CONTINUO_ASSIGN_OR_RETURN(const MidiSong song,
                            ParseMidi(bytes, options, report));
  const TempoMap map = MakeTempoMap(song);
  sequence->mutable_source_info()->set_parser(
      NoteSequence::SourceInfo::PRETTY_MIDI);
  sequence->mutable_source_info()->set_encoding_type(
      NoteSequence::SourceInfo::MIDI);
  AddTempos(song, map, sequence);
  AddMetersAndKeys(song, map, sequence);
  CONTINUO_RETURN_IF_ERROR(AddNames(song, sequence));
  CONTINUO_RETURN_IF_ERROR(AddControlsAndBends(song, map, sequence));
  AddNotes(song, map, sequence);
  return absl::OkStatus();
}

absl::StatusOr<NoteSequence> ReadMidi(absl::string_view bytes,
                                      const ReadOptions& options,
                                      ReadReport* report) {
  NoteSequence sequence;
  CONTINUO_RETURN_IF_ERROR(ReadMidi(bytes, &sequence, options, report));
  return sequence;
}

}  // namespace continuo
