// SPDX-License-Identifier: Apache-2.0

// Cutting a NoteSequence in time (data/notes/README.md).

#ifndef CONTINUO_DATA_NOTES_SPLIT_H_
#define CONTINUO_DATA_NOTES_SPLIT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/proto/music.pb.h"

namespace continuo {

// InvalidArgument names a kind of time that is infinite or not a number: what
// sorts by time needs times that compare.
absl::Status CheckFiniteTimes(
    const tensorflow::magenta::NoteSequence& sequence);

// The parts between consecutive `times` (seconds; at least two, ascending, all
// but the last below the total time), each starting at 0. A note belongs to
// the part it starts in and is cut at its end. Metre, key, tempo, chords and
// pedals (controls 64, 66, 67) in force at a part's start are restated there;
// pitch bends, other controls and other texts than chords and beats are
// dropped. Notes and events come sorted by time. InvalidArgument for a time
// that is not finite or for unsuitable `times`.
absl::StatusOr<std::vector<tensorflow::magenta::NoteSequence>>
ExtractSubsequences(const tensorflow::magenta::NoteSequence& sequence,
                    absl::Span<const double> times);

// The parts between the real changes of time signature and tempo before the
// total time (a restated equal one is no change; 4/4 and 120 hold at the
// start). Nothing for a sequence of no length.
absl::StatusOr<std::vector<tensorflow::magenta::NoteSequence>>
SplitOnTimeChanges(const tensorflow::magenta::NoteSequence& sequence);

// Parts of `seconds` > 0 each, the last one shorter. Nothing for a sequence of
// no length. InvalidArgument for more than 100,000 parts.
absl::StatusOr<std::vector<tensorflow::magenta::NoteSequence>> SplitEvery(
    double seconds, const tensorflow::magenta::NoteSequence& sequence);

// A copy that keeps the notes that start in [start, end), cut at `end`; times
// and all other events stay as they are.
tensorflow::magenta::NoteSequence TrimSequence(
    const tensorflow::magenta::NoteSequence& sequence, double start,
    double end);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_SPLIT_H_
