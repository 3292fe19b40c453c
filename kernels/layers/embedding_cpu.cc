// SPDX-License-Identifier: Apache-2.0

// Bound by the traffic to the level-1 cache: a multiply-add per load of a
// weight row (gather), per load and store of one (scatter).

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/gemm/packing.h"
#include "kernels/layers/embedding.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layers/embedding_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"
#include "runtime/base/ceil_div.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

// Rows [begin, end) of the gather-sum. A run of columns stays in registers
// while the entries of a row pass.
void GatherSumRows(const int32_t* row_begin, const int32_t* index,
                   const float* value, int64_t begin, int64_t end,
                   const float* weights, const float* bias, int64_t n,
                   float* out) {
  for (int64_t row = begin; row < end; ++row) {
    ForEachRun<8>(n, [&](auto d, auto count, int64_t i) HWY_ATTR {
      const int64_t lanes = hn::Lanes(d);
      hn::Vec<decltype(d)> sum[count];
      for (int v = 0; v < count; ++v) {
        sum[v] = hn::LoadU(d, bias + i + v * lanes);
      }
      for (int32_t e = row_begin[row]; e < row_begin[row + 1]; ++e) {
        const auto scale = hn::Set(d, value[e]);
        const float* from = weights + int64_t{index[e]} * n + i;
        for (int v = 0; v < count; ++v) {
          sum[v] = hn::MulAdd(scale, hn::LoadU(d, from + v * lanes), sum[v]);
        }
      }
      for (int v = 0; v < count; ++v) {
        hn::StoreU(sum[v], d, out + row * n + i + v * lanes);
      }
    });
  }
}

// `columns` columns of the gradient; dz and dw point at the first, rows are n
// apart.
void ScatterColumns(const int32_t* row_begin, const int32_t* index,
                    const float* value, int64_t rows, const float* dz,
                    int64_t n, int64_t columns, float* dw) {
  for (int64_t row = 0; row < rows; ++row) {
    ForEachRun<8>(columns, [&](auto d, auto count, int64_t i) HWY_ATTR {
      const int64_t lanes = hn::Lanes(d);
      hn::Vec<decltype(d)> x[count];
      for (int v = 0; v < count; ++v) {
        x[v] = hn::LoadU(d, dz + row * n + i + v * lanes);
      }
      for (int32_t e = row_begin[row]; e < row_begin[row + 1]; ++e) {
        const auto scale = hn::Set(d, value[e]);
        float* to = dw + int64_t{index[e]} * n + i;
        for (int v = 0; v < count; ++v) {
          hn::StoreU(hn::MulAdd(scale, x[v], hn::LoadU(d, to + v * lanes)), d,
                     to + v * lanes);
        }
      }
    });
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(GatherSumRows);
HWY_EXPORT(ScatterColumns);
}  // namespace

absl::Status GatherSum(const Stream& stream, const GatherSumArgs& args) {
  const int64_t rows = args.inputs.rows();
  const int64_t n = args.weights.shape[1];
  CONTINUO_CHECK(args.out.shape[0] == rows && args.out.shape[1] == n);
  const int32_t* row_begin = args.inputs.row_begin.data<int32_t>();
  const int32_t* index = args.inputs.index.data<int32_t>();
  const float* value = args.inputs.value.data<float>();
  const float* weights = args.weights.data<float>();
  const float* bias = args.bias.data<float>();
  float* out = args.out.data<float>();
  constexpr int64_t kChunk = 64;
  ParallelFor(stream, CeilDiv(rows, kChunk), [&](int64_t chunk, int) {
    HWY_DYNAMIC_DISPATCH(GatherSumRows)
    (row_begin, index, value, chunk * kChunk,
     std::min(rows, (chunk + 1) * kChunk), weights, bias, n, out);
  });
  return absl::OkStatus();
}

absl::Status ScatterAdd(const Stream& stream, const ScatterAddArgs& args) {
  const int64_t rows = args.inputs.rows();
  const int64_t n = args.dw.shape[1];
  CONTINUO_CHECK(args.dz.shape[0] == rows && args.dz.shape[1] == n);
  const int32_t* row_begin = args.inputs.row_begin.data<int32_t>();
  const int32_t* index = args.inputs.index.data<int32_t>();
  const float* value = args.inputs.value.data<float>();
  const float* dz = args.dz.data<float>();
  float* dw = args.dw.data<float>();
  // A task owns columns, so that every element is summed by one thread in the
  // order of the rows.
  constexpr int64_t kColumns = 128;
  ParallelFor(stream, CeilDiv(n, kColumns), [&](int64_t task, int) {
    const int64_t column = task * kColumns;
    HWY_DYNAMIC_DISPATCH(ScatterColumns)
    (row_begin, index, value, rows, dz + column, n,
     std::min(kColumns, n - column), dw + column);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu

namespace continuo {

int64_t ScatterAddScratch(const Stream& stream, int64_t rows, int64_t width,
                          int64_t n) {
  if constexpr (kHasCuda) {
    if (stream.device.type == DeviceType::kCuda) {
      return gpu::ScatterAddScratch(rows, width, n);
    }
  }
  return 0;
}

}  // namespace continuo
#endif  // HWY_ONCE
