// SPDX-License-Identifier: Apache-2.0

// The instruments of a primer: a list of them for messages, and the choice of
// one.

#ifndef CONTINUO_GENERATE_REQUESTS_PRIMER_INSTRUMENTS_H_
#define CONTINUO_GENERATE_REQUESTS_PRIMER_INSTRUMENTS_H_

#include <string>

#include "absl/status/status.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Each instrument with its number, name and notes, and the field that picks the
// likeliest to be wanted, a melody: "0 drums (38 notes), 1 Acoustic Bass (6
// notes), 3 Acoustic Grand Piano (90 notes, polyphonic); give
// --primer_instrument=1".
std::string DescribeInstruments(
    const tensorflow::magenta::NoteSequence& sequence);

// Removes the notes of all instruments but `instrument`. InvalidArgument that
// lists those there are if it has none.
absl::Status KeepInstrument(int instrument,
                            tensorflow::magenta::NoteSequence* sequence);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PRIMER_INSTRUMENTS_H_
