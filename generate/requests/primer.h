// SPDX-License-Identifier: Apache-2.0

// What a run continues: primers as lists, and the request for what follows.

#ifndef CONTINUO_GENERATE_REQUESTS_PRIMER_H_
#define CONTINUO_GENERATE_REQUESTS_PRIMER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/encoding/event_encoder.h"
#include "data/events/melody/melody.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/decoding/generator.h"
#include "models/config/config.h"

namespace continuo {

// A list of melody events ("[60, -2, 62, -1]").
// InvalidArgument shows the place: anything but a list of whole numbers from
// -2 to 127, or an empty list.
absl::StatusOr<Melody> ParseMelodyPrimer(absl::string_view text);

// The event that output `output` of a run begins with when there is no primer:
// drawn by `seed` as often as the melodies that the network was trained on
// begin with it, or, where these are not known, from the pitches of the model.
Event DrawFirstEvent(uint64_t seed, uint64_t output, const ModelConfig& config);

// The request of Magenta's commands: continue `primer` from one step after the
// end of its last note up to `num_steps` steps from the beginning, at `qpm`.
// InvalidArgument that names a number of steps which is enough if the primer
// leaves nothing to generate.
absl::StatusOr<tensorflow::magenta::GeneratorOptions> ContinuationRequest(
    const tensorflow::magenta::NoteSequence& primer, double qpm,
    int steps_per_quarter, int num_steps, const SearchOptions& search);

// The number of steps that a primer and `bars` bars of four quarters after it
// take.
int StepsWithBars(const tensorflow::magenta::NoteSequence& primer, double qpm,
                  int steps_per_quarter, int bars);

// How to ask for enough steps after a primer: "`num_steps`=384 writes 8 bars
// after it, and so does `new_bars`=8".
std::string BarsRemedy(const tensorflow::magenta::NoteSequence& primer,
                       double qpm, int steps_per_quarter);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PRIMER_H_
