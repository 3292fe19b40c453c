// SPDX-License-Identifier: Apache-2.0

// Looking ahead in damaged MIDI files: where chunks begin and whether bytes are
// events, without decoding them.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_SCAN_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_SCAN_H_

#include <algorithm>
#include <cstdint>

namespace continuo {

inline constexpr int64_t kMidiChunkHeaderSize = 8;

// What larger variable-length numbers are read as: more than any file size or
// tick, and safe to add to one.
inline constexpr uint64_t kHugeMidiNumber = uint64_t{1} << 40;

uint32_t MidiBigEndian(const uint8_t* p, int size);

// Reads a variable-length number of any length at `*p` and passes it; false
// at `limit`.
inline bool ReadMidiNumber(const uint8_t** p, const uint8_t* limit,
                           uint64_t* value) {
  uint64_t number = 0;
  while (*p < limit) {
    const uint8_t byte = *(*p)++;
    number = number << 7 | (byte & 0x7f);
    if (byte < 0x80) {
      *value = number;
      return true;
    }
    number = std::min(number, kHugeMidiNumber);
  }
  return false;
}

// True at "MTrk" and a size, whatever size.
bool IsMidiTrackHeader(const uint8_t* p, const uint8_t* file_end);
// The first one from `p` on; `file_end` if there is none.
const uint8_t* FindMidiTrackHeader(const uint8_t* p, const uint8_t* file_end);

// True at a track header whose size leads to where a chunk can begin.
bool IsWholeMidiTrack(const uint8_t* p, const uint8_t* file_end);

// True if a chunk can begin at `p`: the end of the file, a track header, or
// another chunk with one of these after it.
bool IsMidiChunkBoundary(const uint8_t* p, const uint8_t* file_end);

// Number of data bytes of the system messages 0xf1..0xfe; -1 for undefined
// statuses.
int MidiSystemDataBytes(uint8_t status);

// How far bytes are well-formed events.
struct MidiWalk {
  enum class Stop { kEndOfTrack, kLimit, kTrackHeader, kDamage };
  Stop stop = Stop::kDamage;
  const uint8_t* p = nullptr;  // after the last whole event
  bool has_status = false;     // one of them has its own status byte
  int64_t num_events = 0;
};

// Passes over events from `p`, where a delta time should be, to the end-of-
// track event, a track header or `limit`. `running` is the running status, 0
// for none.
MidiWalk WalkMidiEvents(const uint8_t* p, const uint8_t* limit,
                        uint8_t running);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_SCAN_H_
