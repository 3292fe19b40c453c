// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/cuda_stream.h"

#include "absl/strings/str_cat.h"
#include "runtime/device/cuda_status.h"

namespace continuo {
namespace {

// What NVIDIA recommends for Hopper, whose products ask for the most.
constexpr size_t kCublasWorkspaceBytes = 32 << 20;

absl::StatusOr<GpuProperties> ReadProperties(int device) {
  cudaDeviceProp p;
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaGetDeviceProperties(&p, device));
  return GpuProperties{
      .name = p.name,
      .compute_capability = 10 * p.major + p.minor,
      .multiprocessors = p.multiProcessorCount,
      .shared_bytes_per_block = static_cast<int64_t>(p.sharedMemPerBlockOptin),
      .shared_bytes_per_multiprocessor =
          static_cast<int64_t>(p.sharedMemPerMultiprocessor),
      .memory_bytes = static_cast<int64_t>(p.totalGlobalMem)};
}

}  // namespace

absl::StatusOr<std::shared_ptr<CudaStream>> CudaStream::Create(
    const Device& device) {
  std::shared_ptr<CudaStream> cuda(new CudaStream());
  cuda->device_ = device.index;
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaSetDevice(device.index));
  CONTINUO_ASSIGN_OR_RETURN(cuda->properties_, ReadProperties(device.index));
  if (cuda->properties_.compute_capability < 80) {
    return absl::FailedPreconditionError(absl::StrCat(
        "`device`=", DeviceName(device), ": ", cuda->properties_.name,
        " is older than compute capability 8.0 (Ampere); use `device`=cpu"));
  }
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaStreamCreateWithFlags(&cuda->stream_, cudaStreamNonBlocking));
  CONTINUO_RETURN_IF_CUDA_ERROR(cublasCreate(&cuda->cublas_));
  CONTINUO_RETURN_IF_CUDA_ERROR(cublasSetStream(cuda->cublas_, cuda->stream_));
  // Its own workspace would be allocated during a capture, and shared between
  // streams it would make results depend on timing.
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaMalloc(&cuda->workspace_, kCublasWorkspaceBytes));
  CONTINUO_RETURN_IF_CUDA_ERROR(cublasSetWorkspace(
      cuda->cublas_, cuda->workspace_, kCublasWorkspaceBytes));
  return cuda;
}

CudaStream::~CudaStream() {
  // The device is given back whatever these say.
  cudaSetDevice(device_);
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  if (cudnn_ != nullptr) cudnnDestroy(cudnn_);
  if (cublas_ != nullptr) cublasDestroy(cublas_);
  if (workspace_ != nullptr) cudaFree(workspace_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

absl::StatusOr<cudnnHandle_t> CudaStream::cudnn() {
  if (cudnn_ == nullptr) {
    CONTINUO_RETURN_IF_CUDA_ERROR(cudnnCreate(&cudnn_));
    CONTINUO_RETURN_IF_CUDA_ERROR(cudnnSetStream(cudnn_, stream_));
  }
  return cudnn_;
}

}  // namespace continuo
