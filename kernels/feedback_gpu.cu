// Feedback by one warp a row: a lane enters the label, then each lane makes its
// entries of the input row. Bound by latency: a row reads and writes its state
// (4 to 216 bytes) and writes 8 bytes an entry, some 800 bytes for the key
// melody, once each.

#include <algorithm>

#include "kernels/feedback-inl.h"
#include "kernels/feedback.h"
#include "kernels/launch.cuh"
#include "runtime/log.h"

namespace continuo::gpu {
namespace {

constexpr int kWarp = 32;
constexpr int kRowsPerBlock = 4;

__global__ void __launch_bounds__(kWarp* kRowsPerBlock)
    FeedbackKernel(const __grid_constant__ FeedbackEncoding encoding,
                   const int32_t* __restrict__ source,
                   const int64_t* __restrict__ choice,
                   const int32_t* __restrict__ state, int64_t rows,
                   int32_t* __restrict__ next_state,
                   int32_t* __restrict__ index, float* __restrict__ value) {
  extern __shared__ int32_t shared[];  // [kRowsPerBlock, S]
  const int64_t row = int64_t{blockIdx.x} * kRowsPerBlock + threadIdx.y;
  if (row >= rows) return;  // whole warps: nothing waits for the block
  const int size = feedback::StateSize(encoding);
  const int entries = feedback::NumEntries(encoding);
  const int lane = threadIdx.x;
  int32_t* const own = shared + threadIdx.y * size;
  const int64_t from = source != nullptr ? source[row] : row;
  for (int i = lane; i < size; i += kWarp) own[i] = state[from * size + i];
  __syncwarp();
  if (lane == 0) {
    feedback::EnterLabel(encoding, choice + from * encoding.heads, own);
  }
  __syncwarp();
  for (int i = lane; i < size; i += kWarp) next_state[row * size + i] = own[i];
  for (int slot = lane; slot < entries; slot += kWarp) {
    const feedback::Entry entry = feedback::InputEntry(encoding, own, slot);
    index[row * entries + slot] = entry.index;
    value[row * entries + slot] = entry.value;
  }
}

}  // namespace

absl::Status Feedback(const Stream& stream, const FeedbackArgs& args) {
  const int64_t rows = args.next_state.shape[0];
  const int64_t size = FeedbackStateSize(args.encoding);
  const int64_t entries = FeedbackEntries(args.encoding);
  CONTINUO_CHECK(args.source ? args.source.shape[0] == rows
                             : args.state.shape[0] == rows);
  CONTINUO_CHECK(args.index.num_elements() == rows * entries &&
                 args.value.num_elements() == rows * entries);
  if (rows == 0) return absl::OkStatus();
  FeedbackKernel<<<static_cast<unsigned>(CeilDiv(rows, kRowsPerBlock)),
                   dim3(kWarp, kRowsPerBlock),
                   static_cast<size_t>(kRowsPerBlock * size) * sizeof(int32_t),
                   stream.cuda->stream()>>>(
      args.encoding, args.source.data<int32_t>(), args.choice.data<int64_t>(),
      args.state.data<int32_t>(), rows, args.next_state.data<int32_t>(),
      args.index.data<int32_t>(), args.value.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
