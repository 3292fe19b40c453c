// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/stream_event.h"

#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"

namespace continuo {

struct StreamEvent::State {
  ~State() {
    if (event != nullptr) cudaEventDestroy(event);
  }
  cudaEvent_t event = nullptr;
};

absl::StatusOr<StreamEvent> StreamEvent::Record(const Stream& stream) {
  auto state = std::make_shared<State>();
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaEventCreate(&state->event));
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaEventRecord(state->event, stream.cuda->stream()));
  StreamEvent event;
  event.state_ = std::move(state);
  return event;
}

absl::Status StreamEvent::Wait() const {
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaEventSynchronize(state_->event));
  return absl::OkStatus();
}

absl::Status StreamEvent::MakeWait(const Stream& stream) const {
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaStreamWaitEvent(stream.cuda->stream(), state_->event, 0));
  return absl::OkStatus();
}

absl::StatusOr<double> StreamEvent::SecondsSince(
    const StreamEvent& begin) const {
  float milliseconds = 0;
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaEventElapsedTime(&milliseconds, begin.state_->event, state_->event));
  return 1e-3 * static_cast<double>(milliseconds);
}

}  // namespace continuo
