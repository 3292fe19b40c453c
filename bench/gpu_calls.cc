// SPDX-License-Identifier: Apache-2.0

#include "bench/gpu_calls.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <utility>

namespace continuo::bench {
namespace {

GpuCalls calls;

// The library's own function of that name.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

GpuCalls TakeGpuCalls() { return std::exchange(calls, {}); }

}  // namespace continuo::bench

extern "C" {

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  static const auto next =
      continuo::bench::Next<cudaError_t(cudaStream_t)>("cudaStreamSynchronize");
  ++continuo::bench::calls.waits;
  return next(stream);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream) {
  static const auto next = continuo::bench::Next<cudaError_t(
      void*, const void*, size_t, cudaMemcpyKind, cudaStream_t)>(
      "cudaMemcpyAsync");
  ++continuo::bench::calls.copies;
  return next(to, from, bytes, kind, stream);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  static const auto next =
      continuo::bench::Next<cudaError_t(cudaGraphExec_t, cudaStream_t)>(
          "cudaGraphLaunch");
  ++continuo::bench::calls.graphs;
  return next(graph, stream);
}

}  // extern "C"
