// SPDX-License-Identifier: Apache-2.0

// A build without CUDA has no device to open; the rest is never reached.

#include "runtime/base/log.h"
#include "runtime/device/cuda_support.h"
#include "runtime/device/graph.h"

namespace continuo {
namespace {

absl::Status NoCuda() {
  return absl::UnavailableError("this build has no CUDA support");
}

}  // namespace

absl::StatusOr<int> CudaDeviceCount() { return NoCuda(); }
absl::StatusOr<std::shared_ptr<CudaStream>> OpenCudaStream(const Device&) {
  return NoCuda();
}
std::string CudaModelName(const Stream&) { return ""; }
absl::StatusOr<void*> CudaAllocate(const Device&, MemoryKind, int64_t) {
  return NoCuda();
}
void CudaFree(const Device&, MemoryKind, void*) { CONTINUO_CHECK(kHasCuda); }
absl::Status CudaCopy(const Stream&, const void*, void*, int64_t) {
  return NoCuda();
}
absl::Status CudaSynchronize(const Stream&) { return NoCuda(); }

struct Graph::State {};
absl::StatusOr<Graph> Graph::Capture(const Stream&,
                                     absl::FunctionRef<absl::Status()>) {
  return NoCuda();
}
absl::Status Graph::Launch(const Stream&) const { return NoCuda(); }

}  // namespace continuo
