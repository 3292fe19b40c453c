// SPDX-License-Identifier: Apache-2.0

// Graph: work of a CUDA stream, recorded once and launched many times.

#ifndef CONTINUO_RUNTIME_DEVICE_GRAPH_H_
#define CONTINUO_RUNTIME_DEVICE_GRAPH_H_

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/device/device.h"

namespace continuo {

class Graph {
 public:
  // Records the operations that `work` enqueues on the stream, a CUDA one; none
  // of them runs. `work` must not wait for the stream or read what it computes;
  // host memory that it copies from or to must be pinned and outlive the graph.
  static absl::StatusOr<Graph> Capture(const Stream& stream,
                                       absl::FunctionRef<absl::Status()> work);

  // Runs them again, as one piece of work.
  absl::Status Launch(const Stream& stream) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_GRAPH_H_
