// SPDX-License-Identifier: Apache-2.0

// Performance requests: notes to a performance and back (generate/README.md).

#ifndef CONTINUO_GENERATE_REQUESTS_PERFORMANCE_CONTINUATION_H_
#define CONTINUO_GENERATE_REQUESTS_PERFORMANCE_CONTINUATION_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/requests/continuation.h"
#include "models/config/config.h"

namespace continuo {

// Notes that sound longer than this are cut, in seconds.
inline constexpr double kMaxGeneratedNoteSeconds = 5.0;

// A continuation that also knows how much time it fills.
class PerformanceContinuation : public Continuation {
 public:
  // Steps of primer and generated events together: what control values over
  // time are spread over.
  virtual int64_t total_steps() const = 0;
};

// The request to continue the notes of `input`. They become a performance (an
// empty one if there are none, or if they have more than one program), with
// silence up to the first step to generate. How many events fill the time is
// not known beforehand: num_events() are as many as `mean_density` notes per
// second (of control values, or kDefaultNotesPerSecond) and four events a note
// make it, and Missing() tells when they were not enough. InvalidArgument for
// what cannot be a primer.
absl::StatusOr<std::unique_ptr<PerformanceContinuation>>
MakePerformanceContinuation(
    const tensorflow::magenta::NoteSequence& input,
    const tensorflow::magenta::GeneratorOptions& options,
    const ModelConfig& config, double mean_density);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PERFORMANCE_CONTINUATION_H_
