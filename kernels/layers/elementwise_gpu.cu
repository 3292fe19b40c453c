// SPDX-License-Identifier: Apache-2.0

// Bound by memory: every element is moved once, by 16-byte accesses where the
// arrays allow them.

#include "kernels/common/vector_io.cuh"
#include "kernels/layers/elementwise.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// Not __restrict__: c may be a or b.
template <typename V>
__global__ void SumKernel(const V* a, const V* b, int64_t count, V* c) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += step) {
    c[i] = Add(a[i], b[i]);
  }
}

// Zeroes x from its row step_begin[steps] on; a row is `columns` Vs.
template <typename V>
__global__ void ZeroTailKernel(const int32_t* step_begin, int64_t steps,
                               int64_t rows, int64_t columns, V* x) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const int64_t begin = step_begin[steps] * columns;
  const int64_t end = rows * columns;
  for (int64_t i = begin + int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       i < end; i += step) {
    x[i] = V{};
  }
}

}  // namespace

absl::Status Copy(const Stream& stream, const CopyArgs& args) {
  CONTINUO_CHECK(args.from.shape == args.to.shape &&
                 args.from.dtype == args.to.dtype);
  const int64_t bytes = args.to.num_elements() * DTypeSize(args.to.dtype);
  if (bytes == 0) return absl::OkStatus();
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaMemcpyAsync(args.to.raw, args.from.raw, static_cast<size_t>(bytes),
                      cudaMemcpyDeviceToDevice, stream.cuda->stream()));
  return absl::OkStatus();
}

absl::Status Zero(const Stream& stream, const ZeroArgs& args) {
  const int64_t bytes = args.x.num_elements() * DTypeSize(args.x.dtype);
  if (bytes == 0) return absl::OkStatus();
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaMemsetAsync(
      args.x.raw, 0, static_cast<size_t>(bytes), stream.cuda->stream()));
  return absl::OkStatus();
}

absl::Status ZeroTail(const Stream& stream, const ZeroTailArgs& args) {
  const int64_t rows = args.x.shape[0];
  const int64_t row_bytes = args.x.shape[1] * DTypeSize(args.x.dtype);
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  if (rows * row_bytes == 0) return absl::OkStatus();
  const auto zero = [&]<typename V>(V* x) {
    const int64_t columns = row_bytes / int64_t{sizeof(V)};
    ZeroTailKernel<<<GridSize(rows * columns, kThreads), kThreads, 0,
                     stream.cuda->stream()>>>(step_begin, args.ragged.steps(),
                                              rows, columns, x);
  };
  if (row_bytes % 16 == 0 &&
      reinterpret_cast<uintptr_t>(args.x.raw) % 16 == 0) {
    zero(static_cast<uint4*>(args.x.raw));
  } else {
    zero(static_cast<uint16_t*>(args.x.raw));
  }
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

absl::Status Sum(const Stream& stream, const SumArgs& args) {
  const int64_t count = args.c.num_elements();
  CONTINUO_CHECK(args.a.shape == args.c.shape && args.b.shape == args.c.shape);
  if (count == 0) return absl::OkStatus();
  const auto sum = [&]<typename V>(V* c) {
    const int64_t size = count * int64_t{sizeof(float)} / int64_t{sizeof(V)};
    SumKernel<<<GridSize(size, kThreads), kThreads, 0, stream.cuda->stream()>>>(
        reinterpret_cast<const V*>(args.a.data<float>()),
        reinterpret_cast<const V*>(args.b.data<float>()), size, c);
  };
  float* c = args.c.data<float>();
  if (ByFours(args.a.raw, count) && ByFours(args.b.raw, count) &&
      ByFours(c, count)) {
    sum(reinterpret_cast<float4*>(c));
  } else {
    sum(c);
  }
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
