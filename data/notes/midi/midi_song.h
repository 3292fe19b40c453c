// SPDX-License-Identifier: Apache-2.0

// A MIDI file as parsed: notes, controls and bends in ticks, grouped into
// instruments. midi_reader.h turns it into a NoteSequence.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_SONG_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_SONG_H_

#include <cstdint>
#include <string>
#include <vector>

namespace continuo {

// Ticks up to here fit every field below. Magenta tabulates each tick (32 bytes
// of temporaries) and never gets this far.
inline constexpr int64_t kMaxMidiTick = (int64_t{1} << 31) - 2;

struct MidiNote {
  uint32_t start_tick;
  uint32_t end_tick;
  uint32_t instrument;  // index into MidiSong::instruments
  uint8_t pitch;
  uint8_t velocity;
};

struct MidiControl {
  uint32_t tick;
  uint32_t list;  // see MidiInstrument::list
  uint8_t number;
  uint8_t value;
};

struct MidiBend {
  uint32_t tick;
  uint32_t list;
  int16_t bend;  // -8192..8191
};

// One per (program, channel, track) with a closed note, in the order of the
// first note-off.
struct MidiInstrument {
  int program;    // 0..127
  bool is_drum;   // channel 10
  uint32_t name;  // of the track: index into MidiSong::names
  // Which controls and bends belong to it. Instruments of one channel and
  // track may share a list, and then each has all of its events.
  uint32_t list;
};

struct MidiTempo {
  uint32_t tick;
  uint32_t microseconds_per_quarter;
  int track;
};

struct MidiMeter {
  uint32_t tick;
  int numerator;
  int denominator;
  int track;
};

struct MidiKey {
  uint32_t tick;
  int sharps;  // -7 (flats) .. 7
  bool is_minor;
  int track;
};

struct MidiSong {
  // Ticks per quarter note if positive; else SMPTE time: minus the frames per
  // second (24, 25, 29 for 29.97, 30) in the high byte, ticks per frame in the
  // low one.
  int16_t division = 0;
  std::vector<MidiNote> notes;        // in the order of their ends per track
  std::vector<MidiControl> controls;  // in the order of the file
  std::vector<MidiBend> bends;        // in the order of the file
  std::vector<MidiInstrument> instruments;
  uint32_t num_lists = 0;
  std::vector<std::string> names = {""};  // UTF-8; number 0 stands for none
  // Those that count, by tick; see ResolveMidiConductor.
  std::vector<MidiTempo> tempos;
  std::vector<MidiMeter> meters;
  std::vector<MidiKey> keys;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_SONG_H_
