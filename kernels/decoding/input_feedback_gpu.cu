// SPDX-License-Identifier: Apache-2.0

// InputFeedback by one warp a row, of which a lane enters the label;
// neighbouring rows share a block, which reads and writes its arrays as one
// piece, so that all of a sector is used however few integers a row has. Bound
// by latency: a row reads and writes its state (12 to 216 bytes) and writes 8
// bytes an entry, 744 bytes for the key melody, once each.

#include <algorithm>

#include "kernels/common/launch.cuh"
#include "kernels/decoding/input_feedback-inl.h"
#include "kernels/decoding/input_feedback.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kWarp = 32;
constexpr int kRowsPerBlock = 8;
constexpr int kThreads = kWarp * kRowsPerBlock;

__global__ void __launch_bounds__(kThreads)
    InputFeedbackKernel(const __grid_constant__ InputFeedbackEncoding encoding,
                        const int32_t* __restrict__ source,
                        const int64_t* __restrict__ choice,
                        const int32_t* __restrict__ state, int64_t rows,
                        int32_t* __restrict__ next_state,
                        int32_t* __restrict__ index,
                        float* __restrict__ value) {
  __shared__ int64_t labels[kRowsPerBlock * InputFeedbackEncoding::kMaxHeads];
  extern __shared__ int32_t states[];  // [kRowsPerBlock, S]
  const int size = feedback::StateSize(encoding);
  const int entries = feedback::NumEntries(encoding);
  const int heads = encoding.heads;
  const int64_t first = int64_t{blockIdx.x} * kRowsPerBlock;
  const int count = static_cast<int>(
      first + kRowsPerBlock < rows ? kRowsPerBlock : rows - first);
  const auto from = [&](int row) {
    return source != nullptr ? int64_t{source[first + row]} : first + row;
  };
  for (int i = threadIdx.x; i < count * size; i += kThreads) {
    states[i] = state[from(i / size) * size + i % size];
  }
  for (int i = threadIdx.x; i < count * heads; i += kThreads) {
    labels[i] = choice[from(i / heads) * heads + i % heads];
  }
  __syncthreads();
  const int own = static_cast<int>(threadIdx.x) / kWarp;
  if (threadIdx.x % kWarp == 0 && own < count) {
    feedback::EnterLabel(encoding, labels + own * heads, states + own * size);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < count * size; i += kThreads) {
    next_state[first * size + i] = states[i];
  }
  for (int i = threadIdx.x; i < count * entries; i += kThreads) {
    const feedback::Entry entry = feedback::InputEntry(
        encoding, states + i / entries * size, i % entries);
    index[first * entries + i] = entry.index;
    value[first * entries + i] = entry.value;
  }
}

}  // namespace

absl::Status InputFeedback(const Stream& stream,
                           const InputFeedbackArgs& args) {
  const int64_t rows = args.next_state.shape[0];
  const int64_t size = InputFeedbackStateSize(args.encoding);
  const int64_t entries = InputFeedbackEntries(args.encoding);
  CONTINUO_CHECK(args.source ? args.source.shape[0] == rows
                             : args.state.shape[0] == rows);
  CONTINUO_CHECK(args.index.num_elements() == rows * entries &&
                 args.value.num_elements() == rows * entries);
  if (rows == 0) return absl::OkStatus();
  InputFeedbackKernel<<<
      static_cast<unsigned>(CeilDiv(rows, kRowsPerBlock)), kThreads,
      static_cast<size_t>(kRowsPerBlock * size) * sizeof(int32_t),
      stream.cuda->stream()>>>(
      args.encoding, args.source.data<int32_t>(), args.choice.data<int64_t>(),
      args.state.data<int32_t>(), rows, args.next_state.data<int32_t>(),
      args.index.data<int32_t>(), args.value.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
