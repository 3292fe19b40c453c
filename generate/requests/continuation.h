// SPDX-License-Identifier: Apache-2.0

// Continuation: what one family of models makes of a request.

#ifndef CONTINUO_GENERATE_REQUESTS_CONTINUATION_H_
#define CONTINUO_GENERATE_REQUESTS_CONTINUATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "data/proto/music.pb.h"

namespace continuo {

// The events a request begins with, the number that is missing, and the way
// back to notes. Immutable and safe to share between outputs and threads.
class Continuation {
 public:
  virtual ~Continuation() = default;

  // The primer as the model sees it, at least one event.
  virtual const std::vector<Event>& primer() const = 0;
  virtual int64_t num_events() const = 0;

  // Events that `events` (the primer and what was generated after it) still
  // lack; 0 = complete. More may be missing after num_events() if the music's
  // length in time is what counts, and fewer before.
  virtual int64_t Missing(absl::Span<const Event> events) const {
    return static_cast<int64_t>(primer().size()) + num_events() -
           static_cast<int64_t>(events.size());
  }

  // The notes of primer and generated events together.
  virtual absl::StatusOr<tensorflow::magenta::NoteSequence> Finish(
      std::vector<Event> events) const = 0;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_CONTINUATION_H_
