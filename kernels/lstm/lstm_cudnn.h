// SPDX-License-Identifier: Apache-2.0

// A whole LSTM layer by cuDNN (CUDA streams alone): the comparison for the
// fused path of kernels/lstm/lstm.h and its twin in numbers, input part
// included.
//
// cuDNN takes the lengths of the rows from the host, so these run as calls and
// are not recorded (runtime/device/graph.h). It computes in fp32 and tf32
// (OwnedStream::Open refuses bf16). Sums have no promised order there: bits may
// differ between versions and cards.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_CUDNN_H_
#define CONTINUO_KERNELS_LSTM_LSTM_CUDNN_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/layers/embedding.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Whether LSTM layers (those without attention) of a stream are cuDNN's.
//
// Automatic means fused. Both do the same products over the whole batch; the
// fused path reads sparse inputs as they are, keeps the recurrent weights on
// chip for all steps, stores gates in bfloat16 where asked to, gives the same
// bits every time and can be recorded into a graph. cuDNN would be the choice
// for layers too wide for the persistent forms (over 512 units), where each
// step is bound by reading the weights in either.
inline bool LstmUsesCudnn(const Stream& stream) {
  return kHasCuda && stream.device.type == DeviceType::kCuda &&
         stream.options.backend == RnnBackend::kCudnn;
}

// Floats that a layer of `units` on an input of `width` needs for a batch.
struct LstmCudnnSizes {
  int64_t reserve = 0;  // what forward keeps for backward
  int64_t scratch = 0;  // of one call of either
};

struct LstmCudnnForwardArgs {
  RaggedLayout ragged;      // with the host's arrays
  TensorView x;             // [E, k]
  TensorView kernel;        // [k + n, 4n], gates i, j, f, o
  TensorView bias;          // [4n]
  TensorView h;             // [E, n] out
  TensorView reserve = {};  // [sizes.reserve] out; not given: inference
  TensorView scratch;       // [sizes.scratch]
};

struct LstmCudnnBackwardArgs {
  RaggedLayout ragged;
  TensorView x;        // [E, k]
  TensorView kernel;   // [k + n, 4n]
  TensorView bias;     // [4n]
  TensorView h;        // [E, n]
  TensorView dh;       // [E, n] gradient from above
  TensorView dx;       // [E, k] out; does not overlap x
  TensorView dkernel;  // [k + n, 4n] in and out: added to
  TensorView dbias;    // [4n] in and out: added to
  TensorView reserve;  // of the forward call; changed
  TensorView scratch;  // [sizes.scratch]
};

// Sparse rows written out, which is how cuDNN has to have a network's inputs:
// 4 * width bytes an event, 6 MB for 41,000 events of 38 inputs and 64 MB for
// those of 388.
struct DenseRowsArgs {
  SparseView inputs;  // [rows, width]
  TensorView out;     // [rows, width] out
};

namespace gpu {

absl::StatusOr<LstmCudnnSizes> LstmCudnnSizesFor(const Stream& stream,
                                                 const RaggedLayout& ragged,
                                                 int64_t width, int64_t units);
absl::Status LstmCudnnForward(const Stream& stream,
                              const LstmCudnnForwardArgs& args);
absl::Status LstmCudnnBackward(const Stream& stream,
                               const LstmCudnnBackwardArgs& args);
absl::Status DenseRows(const Stream& stream, const DenseRowsArgs& args);

// The same weights as cuDNN has them: for each gate i, f, j, o a matrix
// [n, k], for each a matrix [n, n], and biases with the forget bias added.
struct CudnnWeights {
  float* matrix[8];  // four for the input, four for h
  float* bias[4];
};
// cuDNN's weights from ours, and our gradients += cuDNN's.
absl::Status ToCudnnWeights(const Stream& stream, const TensorView& kernel,
                            const TensorView& bias, const CudnnWeights& to);
absl::Status AddCudnnGradients(const Stream& stream, const CudnnWeights& from,
                               const TensorView& kernel,
                               const TensorView& bias);

}  // namespace gpu

// Only for streams of CUDA devices; a build without CUDA has none.
inline absl::StatusOr<LstmCudnnSizes> LstmCudnnSizesFor(
    const Stream& stream, const RaggedLayout& ragged, int64_t width,
    int64_t units) {
  if constexpr (kHasCuda) {
    return gpu::LstmCudnnSizesFor(stream, ragged, width, units);
  }
  return absl::UnimplementedError("cuDNN needs a build with CUDA");
}
#define CONTINUO_CUDNN_OPERATION(Op)                                   \
  inline absl::Status Op(const Stream& stream, const Op##Args& args) { \
    if constexpr (kHasCuda) return gpu::Op(stream, args);              \
    return absl::UnimplementedError("cuDNN needs a build with CUDA");  \
  }                                                                    \
  static_assert(true)
CONTINUO_CUDNN_OPERATION(LstmCudnnForward);
CONTINUO_CUDNN_OPERATION(LstmCudnnBackward);
CONTINUO_CUDNN_OPERATION(DenseRows);
#undef CONTINUO_CUDNN_OPERATION

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_LSTM_CUDNN_H_
