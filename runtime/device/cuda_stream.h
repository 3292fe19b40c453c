// SPDX-License-Identifier: Apache-2.0

// CudaStream: a CUDA stream with the library handles that work on it, and what
// launch shapes are chosen by. For CUDA sources.

#ifndef CONTINUO_RUNTIME_DEVICE_CUDA_STREAM_H_
#define CONTINUO_RUNTIME_DEVICE_CUDA_STREAM_H_

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/device/device.h"
#include "runtime/device/gpu_properties.h"

namespace continuo {

class CudaStream {
 public:
  // FailedPrecondition for devices older than compute capability 8.0.
  static absl::StatusOr<std::shared_ptr<CudaStream>> Create(
      const Device& device);
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  cudaStream_t stream() const { return stream_; }
  // Works on the stream, with its own workspace.
  cublasHandle_t cublas() const { return cublas_; }
  // Works on the stream; created on first use.
  absl::StatusOr<cudnnHandle_t> cudnn();
  const GpuProperties& properties() const { return properties_; }

 private:
  CudaStream() = default;

  int device_ = 0;
  cudaStream_t stream_ = nullptr;
  cublasHandle_t cublas_ = nullptr;
  cudnnHandle_t cudnn_ = nullptr;
  void* workspace_ = nullptr;
  GpuProperties properties_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_CUDA_STREAM_H_
