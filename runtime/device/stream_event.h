// SPDX-License-Identifier: Apache-2.0

// StreamEvent: a CUDA event, a point in the work of a stream.

#ifndef CONTINUO_RUNTIME_DEVICE_STREAM_EVENT_H_
#define CONTINUO_RUNTIME_DEVICE_STREAM_EVENT_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/device/device.h"

namespace continuo {

class StreamEvent {
 public:
  // Marks the end of all work enqueued so far on the stream, a CUDA one.
  static absl::StatusOr<StreamEvent> Record(const Stream& stream);

  // Blocks the host until that work is done.
  absl::Status Wait() const;
  // Makes work enqueued on `stream` from now on wait for it.
  absl::Status MakeWait(const Stream& stream) const;
  // Device time from `begin` to this event; both are done.
  absl::StatusOr<double> SecondsSince(const StreamEvent& begin) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_STREAM_EVENT_H_
