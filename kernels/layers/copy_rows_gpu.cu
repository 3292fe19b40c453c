// SPDX-License-Identifier: Apache-2.0

// Bound by memory: every element is moved once, by 16-byte accesses where the
// rows allow them.

#include "kernels/common/vector_io.cuh"
#include "kernels/layers/copy_rows.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

// A block of MoveRowsKernel: a warp for each of kBlockRows rows, in which it
// moves kColumnsEach elements a lane.
constexpr int kBlockRows = 4;
constexpr int kColumnsEach = 8;

// out[to[r]] = x[from[r]]; `to` null: out[r].
template <typename V>
__global__ void MoveRowsKernel(const V* x, const int32_t* from,
                               const int32_t* to, int64_t rows, int64_t columns,
                               V* out) {
  const int64_t r = int64_t{blockIdx.x} * kBlockRows + threadIdx.y;
  if (r >= rows) return;
  const V* source = x + from[r] * columns;
  V* target = out + (to != nullptr ? to[r] : r) * columns;
  const int64_t begin = int64_t{blockIdx.y} * 32 * kColumnsEach + threadIdx.x;
  V values[kColumnsEach];
#pragma unroll
  for (int i = 0; i < kColumnsEach; ++i) {
    if (begin + 32 * i < columns) values[i] = source[begin + 32 * i];
  }
#pragma unroll
  for (int i = 0; i < kColumnsEach; ++i) {
    if (begin + 32 * i < columns) target[begin + 32 * i] = values[i];
  }
}

template <typename V>
absl::Status MoveRows(const Stream& stream, const TensorView& x,
                      const int32_t* from, const int32_t* to, int64_t rows,
                      int64_t n, const TensorView& out) {
  const int64_t columns = n * int64_t{sizeof(float)} / int64_t{sizeof(V)};
  const dim3 grid(static_cast<unsigned>(CeilDiv(rows, kBlockRows)),
                  static_cast<unsigned>(CeilDiv(columns, 32 * kColumnsEach)));
  MoveRowsKernel<<<grid, dim3(32, kBlockRows), 0, stream.cuda->stream()>>>(
      reinterpret_cast<const V*>(x.data<float>()), from, to, rows, columns,
      reinterpret_cast<V*>(out.data<float>()));
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

absl::Status MoveRows(const Stream& stream, const TensorView& x,
                      const TensorView& from, const int32_t* to, int64_t n,
                      const TensorView& out) {
  const int64_t rows = from.shape[0];
  const int32_t* source = from.data<int32_t>();
  if (rows == 0 || n == 0) return absl::OkStatus();
  return ByFours(x.raw, n) && ByFours(out.raw, n)
             ? MoveRows<float4>(stream, x, source, to, rows, n, out)
             : MoveRows<float>(stream, x, source, to, rows, n, out);
}

}  // namespace

absl::Status GatherRows(const Stream& stream, const GatherRowsArgs& args) {
  const int64_t n = args.x.shape[1];
  CONTINUO_CHECK(args.out.shape[0] == args.rows.shape[0] &&
                 args.out.shape[1] == n);
  return MoveRows(stream, args.x, args.rows, nullptr, n, args.out);
}

absl::Status CopyRows(const Stream& stream, const CopyRowsArgs& args) {
  CONTINUO_CHECK(args.from.shape == args.to.shape && args.x.shape[0] > 0);
  const int64_t n = args.x.num_elements() / args.x.shape[0];
  return MoveRows(stream, args.x, args.from, args.to.data<int32_t>(), n,
                  args.x);
}

}  // namespace continuo::gpu
