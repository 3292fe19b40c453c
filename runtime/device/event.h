// StreamEvent: a point in the work of a CUDA stream, to wait for or measure
// from.

#ifndef CONTINUO_RUNTIME_DEVICE_EVENT_H_
#define CONTINUO_RUNTIME_DEVICE_EVENT_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/device/device.h"

namespace continuo {

class StreamEvent {
 public:
  // Marks the end of all that was put on the stream, a CUDA one.
  static absl::StatusOr<StreamEvent> Record(const Stream& stream);

  // Holds up the host until that work is done.
  absl::Status Wait() const;
  // Holds up what is put on another stream from now on.
  absl::Status HoldUp(const Stream& stream) const;
  // Device time from `begin` to this one, both done.
  absl::StatusOr<double> SecondsSince(const StreamEvent& begin) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_EVENT_H_
