// SPDX-License-Identifier: Apache-2.0

// The instruments of a note sequence.

#ifndef CONTINUO_DATA_NOTES_INSTRUMENTS_H_
#define CONTINUO_DATA_NOTES_INSTRUMENTS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "data/proto/music.pb.h"

namespace continuo {

// The notes of each instrument number, in the order of the sequence, which owns
// them.
std::map<int, std::vector<const tensorflow::magenta::NoteSequence::Note*>>
NotesByInstrument(const tensorflow::magenta::NoteSequence& sequence);

struct InstrumentSummary {
  int program = 0;     // of its last note
  bool drums = false;  // the same
  int64_t notes = 0;
  int lowest = 127;  // pitch
  int highest = 0;
};

// Of each instrument number.
std::map<int, InstrumentSummary> SummarizeInstruments(
    const tensorflow::magenta::NoteSequence& sequence);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_INSTRUMENTS_H_
