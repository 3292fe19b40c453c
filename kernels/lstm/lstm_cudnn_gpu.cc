// SPDX-License-Identifier: Apache-2.0

// cuDNN's RNN interface of version 8 and later: one unidirectional layer of one
// bias. Rows of different lengths go in as they lie, packed by time step and
// sorted by length.

#include <cudnn.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"

namespace continuo::gpu {
namespace {

// Since then the device needs no copy of the lengths.
static_assert(CUDNN_VERSION >= 8901, "cuDNN 8.9.1 or newer is needed");

// Parts of the scratch start at multiples of this.
constexpr int64_t kAlignment = 256 / sizeof(float);

int64_t Floats(size_t bytes) {
  const int64_t floats =
      static_cast<int64_t>((bytes + sizeof(float) - 1) / sizeof(float));
  return (floats + kAlignment - 1) / kAlignment * kAlignment;
}

template <typename T, cudnnStatus_t (*kCreate)(T*),
          cudnnStatus_t (*kDestroy)(T)>
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ != nullptr) kDestroy(descriptor_);
  }
  absl::Status Create() {
    CONTINUO_RETURN_IF_CUDA_ERROR(kCreate(&descriptor_));
    return absl::OkStatus();
  }
  T get() const { return descriptor_; }

 private:
  T descriptor_ = nullptr;
};
using TensorDescriptor =
    Descriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor,
               cudnnDestroyTensorDescriptor>;
using DataDescriptor =
    Descriptor<cudnnRNNDataDescriptor_t, cudnnCreateRNNDataDescriptor,
               cudnnDestroyRNNDataDescriptor>;

// A layer and a batch as cuDNN describes them. Descriptors live in host memory
// and cost little beside the launches of a call.
class Layer {
 public:
  absl::Status Create(const Stream& stream, const RaggedLayout& ragged,
                      int64_t width, int64_t units);

  // Where the parts of a weight space at `space` are.
  absl::StatusOr<CudnnWeights> Weights(float* space) const;

  cudnnHandle_t handle = nullptr;
  size_t weight_bytes = 0;
  size_t work_bytes[2] = {};  // of inference and training
  size_t reserve_bytes = 0;
  DataDescriptor x;        // [E, width]
  DataDescriptor y;        // [E, units]
  TensorDescriptor state;  // [1, N, units]
  Descriptor<cudnnRNNDescriptor_t, cudnnCreateRNNDescriptor,
             cudnnDestroyRNNDescriptor>
      rnn;

 private:
  Descriptor<cudnnDropoutDescriptor_t, cudnnCreateDropoutDescriptor,
             cudnnDestroyDropoutDescriptor>
      no_dropout_;
};

absl::Status SetData(const DataDescriptor& data, const RaggedLayout& ragged,
                     const std::vector<int>& lengths, int64_t width) {
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnSetRNNDataDescriptor(
      data.get(), CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
      static_cast<int>(ragged.steps()), static_cast<int>(lengths.size()),
      static_cast<int>(width), lengths.data(), nullptr));
  return absl::OkStatus();
}

absl::Status Layer::Create(const Stream& stream, const RaggedLayout& ragged,
                           int64_t width, int64_t units) {
  CONTINUO_CHECK(ragged.host_batch_sizes != nullptr);
  CONTINUO_CHECK(stream.options.precision != Precision::kBf16);
  CONTINUO_ASSIGN_OR_RETURN(handle, stream.cuda->cudnn());
  std::vector<int> lengths(ragged.host_batch_sizes[0]);
  for (int64_t t = 0, alive = 0; t < ragged.steps(); ++t) {
    // Filled from the last step on: a row's length is its last step's.
    const int64_t step = ragged.steps() - 1 - t;
    for (; alive < ragged.host_batch_sizes[step]; ++alive) {
      lengths[alive] = static_cast<int>(step + 1);
    }
  }

  CONTINUO_RETURN_IF_ERROR(no_dropout_.Create());
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnSetDropoutDescriptor(
      no_dropout_.get(), handle, 0.0f, nullptr, 0, 0));
  CONTINUO_RETURN_IF_ERROR(rnn.Create());
  const int32_t n = static_cast<int32_t>(units);
  // The standard algorithm is the one that takes every size and length.
  // Default math lets float32 operands be rounded to tf32.
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnSetRNNDescriptor_v8(
      rnn.get(), CUDNN_RNN_ALGO_STANDARD, CUDNN_LSTM, CUDNN_RNN_SINGLE_INP_BIAS,
      CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, CUDNN_DATA_FLOAT,
      CUDNN_DATA_FLOAT,
      stream.options.precision == Precision::kTf32 ? CUDNN_DEFAULT_MATH
                                                   : CUDNN_FMA_MATH,
      static_cast<int32_t>(width), n, n, 1, no_dropout_.get(),
      CUDNN_RNN_PADDED_IO_DISABLED));
  CONTINUO_RETURN_IF_ERROR(x.Create());
  CONTINUO_RETURN_IF_ERROR(SetData(x, ragged, lengths, width));
  CONTINUO_RETURN_IF_ERROR(y.Create());
  CONTINUO_RETURN_IF_ERROR(SetData(y, ragged, lengths, units));
  const int rows = static_cast<int>(lengths.size());
  const int dims[3] = {1, rows, n};
  const int strides[3] = {rows * n, n, 1};
  CONTINUO_RETURN_IF_ERROR(state.Create());
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnSetTensorNdDescriptor(
      state.get(), CUDNN_DATA_FLOAT, 3, dims, strides));

  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudnnGetRNNWeightSpaceSize(handle, rnn.get(), &weight_bytes));
  size_t nothing = 0;  // is kept by inference
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudnnGetRNNTempSpaceSizes(handle, rnn.get(), CUDNN_FWD_MODE_INFERENCE,
                                x.get(), &work_bytes[0], &nothing));
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudnnGetRNNTempSpaceSizes(handle, rnn.get(), CUDNN_FWD_MODE_TRAINING,
                                x.get(), &work_bytes[1], &reserve_bytes));
  return absl::OkStatus();
}

absl::StatusOr<CudnnWeights> Layer::Weights(float* space) const {
  CudnnWeights weights;
  TensorDescriptor matrix, bias;
  CONTINUO_RETURN_IF_ERROR(matrix.Create());
  CONTINUO_RETURN_IF_ERROR(bias.Create());
  for (int id = 0; id < 8; ++id) {
    void* matrix_at = nullptr;
    void* bias_at = nullptr;
    CONTINUO_RETURN_IF_CUDA_ERROR(cudnnGetRNNWeightParams(
        handle, rnn.get(), 0, weight_bytes, space, id, matrix.get(), &matrix_at,
        bias.get(), &bias_at));
    weights.matrix[id] = static_cast<float*>(matrix_at);
    if (id < 4) weights.bias[id] = static_cast<float*>(bias_at);
  }
  return weights;
}

}  // namespace

absl::StatusOr<LstmCudnnSizes> LstmCudnnSizesFor(const Stream& stream,
                                                 const RaggedLayout& ragged,
                                                 int64_t width, int64_t units) {
  if (ragged.steps() == 0) return LstmCudnnSizes{};
  Layer layer;
  CONTINUO_RETURN_IF_ERROR(layer.Create(stream, ragged, width, units));
  return LstmCudnnSizes{
      .reserve = Floats(layer.reserve_bytes),
      .scratch = 2 * Floats(layer.weight_bytes) +
                 Floats(std::max(layer.work_bytes[0], layer.work_bytes[1]))};
}

absl::Status LstmCudnnForward(const Stream& stream,
                              const LstmCudnnForwardArgs& args) {
  if (args.ragged.steps() == 0) return absl::OkStatus();
  const int64_t n = args.h.shape[1];
  CONTINUO_CHECK(args.kernel.shape[0] == args.x.shape[1] + n);
  Layer layer;
  CONTINUO_RETURN_IF_ERROR(
      layer.Create(stream, args.ragged, args.x.shape[1], n));
  const bool training = static_cast<bool>(args.reserve);
  float* const space = args.scratch.data<float>();
  const int64_t space_size = Floats(layer.weight_bytes);
  CONTINUO_CHECK(args.scratch.num_elements() >=
                 space_size + Floats(layer.work_bytes[training]));
  CONTINUO_ASSIGN_OR_RETURN(const CudnnWeights weights, layer.Weights(space));
  CONTINUO_RETURN_IF_ERROR(
      ToCudnnWeights(stream, args.kernel, args.bias, weights));
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnRNNForward(
      layer.handle, layer.rnn.get(),
      training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, nullptr,
      layer.x.get(), args.x.raw, layer.y.get(), args.h.raw, layer.state.get(),
      nullptr, nullptr, layer.state.get(), nullptr, nullptr, layer.weight_bytes,
      space, layer.work_bytes[training], space + space_size,
      training ? layer.reserve_bytes : 0, args.reserve.raw));
  return absl::OkStatus();
}

absl::Status LstmCudnnBackward(const Stream& stream,
                               const LstmCudnnBackwardArgs& args) {
  if (args.ragged.steps() == 0) return absl::OkStatus();
  const int64_t n = args.h.shape[1];
  CONTINUO_CHECK(args.kernel.shape[0] == args.x.shape[1] + n);
  Layer layer;
  CONTINUO_RETURN_IF_ERROR(
      layer.Create(stream, args.ragged, args.x.shape[1], n));
  float* const space = args.scratch.data<float>();
  const int64_t space_size = Floats(layer.weight_bytes);
  float* const dspace = space + space_size;
  float* const work = dspace + space_size;
  CONTINUO_CHECK(args.scratch.num_elements() >=
                 2 * space_size + Floats(layer.work_bytes[1]));
  CONTINUO_ASSIGN_OR_RETURN(const CudnnWeights weights, layer.Weights(space));
  CONTINUO_ASSIGN_OR_RETURN(const CudnnWeights gradients,
                            layer.Weights(dspace));
  CONTINUO_RETURN_IF_ERROR(
      ToCudnnWeights(stream, args.kernel, args.bias, weights));
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnRNNBackwardData_v8(
      layer.handle, layer.rnn.get(), nullptr, layer.y.get(), args.h.raw,
      args.dh.raw, layer.x.get(), args.dx.raw, layer.state.get(), nullptr,
      nullptr, nullptr, layer.state.get(), nullptr, nullptr, nullptr,
      layer.weight_bytes, space, layer.work_bytes[1], work, layer.reserve_bytes,
      args.reserve.raw));
  // cuDNN adds to what is there.
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaMemsetAsync(dspace, 0, layer.weight_bytes, stream.cuda->stream()));
  CONTINUO_RETURN_IF_CUDA_ERROR(cudnnRNNBackwardWeights_v8(
      layer.handle, layer.rnn.get(), CUDNN_WGRAD_MODE_ADD, nullptr,
      layer.x.get(), args.x.raw, layer.state.get(), nullptr, layer.y.get(),
      args.h.raw, layer.weight_bytes, dspace, layer.work_bytes[1], work,
      layer.reserve_bytes, args.reserve.raw));
  return AddCudnnGradients(stream, gradients, args.dkernel, args.dbias);
}

}  // namespace continuo::gpu
