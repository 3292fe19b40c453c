// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/cuda_support.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"

namespace continuo {

absl::StatusOr<int> CudaDeviceCount() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess) {
    cudaGetLastError();  // not an error of what follows
    return absl::UnavailableError(absl::StrCat("no CUDA device can be used (",
                                               cudaGetErrorString(code), ")"));
  }
  if (count == 0) return absl::UnavailableError("there is no CUDA device");
  return count;
}

absl::StatusOr<std::shared_ptr<CudaStream>> OpenCudaStream(
    const Device& device) {
  return CudaStream::Create(device);
}

std::string CudaModelName(const Stream& stream) {
  return stream.cuda->properties().name;
}

absl::StatusOr<void*> CudaAllocate(const Device& device, MemoryKind kind,
                                   int64_t bytes) {
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaSetDevice(device.index));
  void* memory = nullptr;
  const size_t size = static_cast<size_t>(bytes);
  if (kind == MemoryKind::kPinned) {
    CONTINUO_RETURN_IF_CUDA_ERROR(
        cudaHostAlloc(&memory, size, cudaHostAllocDefault));
    std::memset(memory, 0, size);
    return memory;
  }
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaMalloc(&memory, size));
  // The default stream neither waits for nor delays other streams.
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaMemset(memory, 0, size));
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaDeviceSynchronize());
  return memory;
}

void CudaFree(const Device& device, MemoryKind kind, void* memory) {
  cudaSetDevice(device.index);
  if (kind == MemoryKind::kPinned) {
    cudaFreeHost(memory);
  } else {
    cudaFree(memory);
  }
}

absl::Status CudaCopy(const Stream& stream, const void* from, void* to,
                      int64_t bytes) {
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDefault,
                      stream.cuda->stream()));
  return absl::OkStatus();
}

absl::Status CudaSynchronize(const Stream& stream) {
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaStreamSynchronize(stream.cuda->stream()));
  return absl::OkStatus();
}

}  // namespace continuo
