// SPDX-License-Identifier: Apache-2.0

// What is dropped, clipped or guessed in MIDI files, counted by kind.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_FAULTS_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_FAULTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/notes/reading.h"

namespace continuo {

enum class MidiFault {
  // Where Magenta's reading is not the standard's.
  kTempoElsewhere,
  kMeterElsewhere,
  kKeyElsewhere,
  kFormat2Together,
  kUnknownMetaTime,
  kSystemRunning,
  kTrackIgnored,
  kTailIgnored,
  // Choices of the standard reading.
  kFormat2InTurn,
  kOverride,
  kTrackBeyondCount,
  // Notes that no reading keeps.
  kEndlessNote,
  kEmptyNote,
  // Damage that is survived.
  kDataByte,
  kVelocity,
  kPitch,
  kSystemMessage,
  kTempo,
  kMeter,
  kKey,
  kOtherMeta,
  kTrackSize,
  kBehindEnd,
  kBetweenTracks,
  kMissingTracks,
  kOtherFile,
  kFileFront,
  kHeaderSize,
  kCutTrack,
  kDamagedTrack,
  kDamagedFront,
  kCutNote,
  kNumFaults,  // not a kind
};

// The words of a report: "a velocity above 127, taken as 127".
absl::string_view MidiFaultText(MidiFault fault);

class MidiFaults {
 public:
  void Add(MidiFault fault, int64_t count = 1) {
    counts_[static_cast<size_t>(fault)] += count;
  }
  void Clear(MidiFault fault) { counts_[static_cast<size_t>(fault)] = 0; }
  int64_t Count(MidiFault fault) const {
    return counts_[static_cast<size_t>(fault)];
  }
  // Adds all of them to the warnings of `report`.
  void AppendTo(ReadReport* report) const;

 private:
  std::array<int64_t, static_cast<size_t>(MidiFault::kNumFaults)> counts_ = {};
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_FAULTS_H_
