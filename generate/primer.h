// What a run continues: primers from flags, and the request for what follows.

#ifndef CONTINUO_GENERATE_PRIMER_H_
#define CONTINUO_GENERATE_PRIMER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/encoder_table.h"
#include "data/events/melody.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/generator.h"

namespace continuo {

// A list of melody events as --primer_melody takes it ("[60, -2, 62, -1]").
// InvalidArgument shows the place: anything but a list of whole numbers from
// -2 to 127, or an empty list.
absl::StatusOr<Melody> ParseMelodyPrimer(absl::string_view text);

// The melody of one note that output `output` of a run begins with when there
// is no primer: drawn by `seed` from the pitches of the model.
Melody RandomFirstNote(uint64_t seed, uint64_t output,
                       const EncodingSpec& encoding);

// The request of the original's commands: continue `primer` from one step after
// the end of its last note up to `num_steps` steps from the beginning, at
// `qpm`. InvalidArgument if the primer leaves nothing to generate.
absl::StatusOr<tensorflow::magenta::GeneratorOptions> ContinuationRequest(
    const tensorflow::magenta::NoteSequence& primer, double qpm,
    int steps_per_quarter, int num_steps, const SearchOptions& search);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_PRIMER_H_
