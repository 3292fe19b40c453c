// SPDX-License-Identifier: Apache-2.0

// CUDA functions of the runtime: cuda_support.cc implements them in a build
// with CUDA, no_cuda.cc in one without.

#ifndef CONTINUO_RUNTIME_DEVICE_CUDA_SUPPORT_H_
#define CONTINUO_RUNTIME_DEVICE_CUDA_SUPPORT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/device/device.h"

namespace continuo {

absl::StatusOr<int> CudaDeviceCount();
absl::StatusOr<std::shared_ptr<CudaStream>> OpenCudaStream(
    const Device& device);

// The product name of the stream's device.
std::string CudaModelName(const Stream& stream);

enum class MemoryKind {
  kDevice,
  kPinned,  // page-locked host memory, for asynchronous copies
};
// Zeroed memory for a CUDA device, aligned to 256 bytes.
absl::StatusOr<void*> CudaAllocate(const Device& device, MemoryKind kind,
                                   int64_t bytes);
void CudaFree(const Device& device, MemoryKind kind, void* memory);

// Enqueues a copy on the stream; either side may be host or device memory.
absl::Status CudaCopy(const Stream& stream, const void* from, void* to,
                      int64_t bytes);
absl::Status CudaSynchronize(const Stream& stream);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_CUDA_SUPPORT_H_
