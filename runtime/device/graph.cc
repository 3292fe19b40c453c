// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/graph.h"

#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"

namespace continuo {

struct Graph::State {
  ~State() {
    if (exec != nullptr) cudaGraphExecDestroy(exec);
  }
  cudaGraphExec_t exec = nullptr;
};

absl::StatusOr<Graph> Graph::Capture(const Stream& stream,
                                     absl::FunctionRef<absl::Status()> work) {
  const cudaStream_t handle = stream.cuda->stream();
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaStreamBeginCapture(handle, cudaStreamCaptureModeThreadLocal));
  const absl::Status recorded = work();
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(handle, &graph);
  if (!recorded.ok()) {
    if (graph != nullptr) cudaGraphDestroy(graph);
    return recorded;
  }
  CONTINUO_RETURN_IF_CUDA_ERROR(ended);
  auto state = std::make_shared<State>();
  const cudaError_t made = cudaGraphInstantiate(&state->exec, graph, 0);
  cudaGraphDestroy(graph);
  CONTINUO_RETURN_IF_CUDA_ERROR(made);
  Graph result;
  result.state_ = std::move(state);
  return result;
}

absl::Status Graph::Launch(const Stream& stream) const {
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaGraphLaunch(state_->exec, stream.cuda->stream()));
  return absl::OkStatus();
}

}  // namespace continuo
