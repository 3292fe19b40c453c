// SPDX-License-Identifier: Apache-2.0

// Requests to melody models (generate/README.md).

#ifndef CONTINUO_GENERATE_REQUESTS_MELODY_CONTINUATION_H_
#define CONTINUO_GENERATE_REQUESTS_MELODY_CONTINUATION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "data/events/encoding/event_encoder.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/requests/continuation.h"
#include "models/config/config.h"

namespace continuo {

// Extracts the melody of the primer (the highest of simultaneous notes, drums
// left out), extends it in silence up to the section, and moves it into the
// model's range and key; Finish moves everything back by the same amount. Notes
// that had to be folded by octaves to fit stay folded, as in Magenta.
//
// InvalidArgument: the errors of ResolveSection, tempo or meter changes in the
// primer, melodies of several instruments in it. OutOfRange: a primer that is
// not shorter than what is asked for.
absl::StatusOr<std::unique_ptr<Continuation>> MakeMelodyContinuation(
    const tensorflow::magenta::NoteSequence& input,
    const tensorflow::magenta::GeneratorOptions& options,
    const ModelConfig& config);

// A melody of `num_steps` steps without a primer: it begins with `first`, an
// event of the model, which stays what it is: no key is guessed from one note,
// and nothing is transposed. InvalidArgument unless there are 2 steps or more.
absl::StatusOr<std::unique_ptr<Continuation>> BeginMelody(
    Event first, double qpm, int num_steps, const ModelConfig& config);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_MELODY_CONTINUATION_H_
