// SPDX-License-Identifier: Apache-2.0

// Primers of drums and performances as lists on the command line.

#ifndef CONTINUO_GENERATE_REQUESTS_PARSE_PRIMER_H_
#define CONTINUO_GENERATE_REQUESTS_PARSE_PRIMER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/drums/drums.h"
#include "data/proto/music.pb.h"

namespace continuo {

// The drums of each sixteenth, as --primer_drums takes them:
// "[(36, 42), (), (42,)]". InvalidArgument shows the place: anything but a list
// of lists or tuples of pitches 0..127, or an empty list.
absl::StatusOr<DrumTrack> ParseDrumsPrimer(absl::string_view text);

// A chord of half a second, as --primer_pitches takes it: "[60, 64, 67]".
// InvalidArgument shows the place: anything but a list of pitches 0..127, or an
// empty list.
absl::StatusOr<tensorflow::magenta::NoteSequence> ParseChordPrimer(
    absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PARSE_PRIMER_H_
