// SPDX-License-Identifier: Apache-2.0

// Drum requests: notes to a drum track and back (generate/README.md).

#ifndef CONTINUO_GENERATE_REQUESTS_DRUMS_CONTINUATION_H_
#define CONTINUO_GENERATE_REQUESTS_DRUMS_CONTINUATION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/requests/continuation.h"
#include "models/config/config.h"

namespace continuo {

// The request to continue the notes of `input` as drums, pitched ones too: they
// become a drum track, which is silent up to the first step to generate. Its
// own pitches stay in the output, and those without a class are invisible to
// the model. InvalidArgument for what cannot be a primer, OutOfRange if it
// leaves nothing to generate.
absl::StatusOr<std::unique_ptr<Continuation>> MakeDrumsContinuation(
    const tensorflow::magenta::NoteSequence& input,
    const tensorflow::magenta::GeneratorOptions& options,
    const ModelConfig& config);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_DRUMS_CONTINUATION_H_
