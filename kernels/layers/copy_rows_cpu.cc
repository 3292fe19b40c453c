// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/layers/copy_rows.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"

namespace continuo::cpu {
namespace {

// Elements of a task: long enough to repay its hand-over.
constexpr int64_t kChunk = 1 << 15;

}  // namespace

absl::Status GatherRows(const Stream& stream, const GatherRowsArgs& args) {
  const int64_t n = args.x.shape[1];
  const int64_t rows = args.rows.shape[0];
  CONTINUO_CHECK(args.out.shape[0] == rows && args.out.shape[1] == n);
  const float* x = args.x.data<float>();
  const int32_t* from = args.rows.data<int32_t>();
  float* out = args.out.data<float>();
  const int64_t each = std::max<int64_t>(1, kChunk / std::max<int64_t>(1, n));
  ParallelFor(stream, CeilDiv(rows, each), [&](int64_t task, int) {
    const int64_t end = std::min(rows, (task + 1) * each);
    for (int64_t r = task * each; r < end; ++r) {
      std::copy(x + from[r] * n, x + (from[r] + 1) * n, out + r * n);
    }
  });
  return absl::OkStatus();
}

absl::Status CopyRows(const Stream& stream, const CopyRowsArgs& args) {
  CONTINUO_CHECK(args.from.shape == args.to.shape && args.x.shape[0] > 0);
  const int64_t n = args.x.num_elements() / args.x.shape[0];
  float* x = args.x.data<float>();
  const int32_t* from = args.from.data<int32_t>();
  const int32_t* to = args.to.data<int32_t>();
  ParallelFor(stream, args.from.shape[0], [&](int64_t r, int) {
    std::copy_n(x + from[r] * n, n, x + to[r] * n);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
