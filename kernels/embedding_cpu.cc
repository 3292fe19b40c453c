#include <algorithm>

#include "kernels/embedding.h"
#include "kernels/packing.h"
#include "kernels/parallel.h"
#include "runtime/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/embedding_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// out += value * row, n elements.
HWY_INLINE void AddScaled(float value, const float* HWY_RESTRICT row, int64_t n,
                          float* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, value);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::MulAdd(scale, hn::LoadU(d, row + i), hn::LoadU(d, out + i)),
               d, out + i);
  }
  // One lane at a time by the same instruction, so that an element's bits do
  // not depend on its place.
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) {
    hn::Store(hn::MulAdd(hn::Set(one, value), hn::Load(one, row + i),
                         hn::Load(one, out + i)),
              one, out + i);
  }
}

void GatherSumRows(const int32_t* row_begin, const int32_t* index,
                   const float* value, int64_t begin, int64_t end,
                   const float* weights, const float* bias, int64_t n,
                   float* out) {
  for (int64_t row = begin; row < end; ++row) {
    float* to = out + row * n;
    std::copy(bias, bias + n, to);
    for (int32_t e = row_begin[row]; e < row_begin[row + 1]; ++e) {
      AddScaled(value[e], weights + int64_t{index[e]} * n, n, to);
    }
  }
}

// Columns [column, column + columns) of the gradient.
void ScatterColumns(const int32_t* row_begin, const int32_t* index,
                    const float* value, int64_t rows, const float* dz,
                    int64_t n, int64_t column, int64_t columns, float* dw) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int32_t e = row_begin[row]; e < row_begin[row + 1]; ++e) {
      AddScaled(value[e], dz + row * n + column, columns,
                dw + int64_t{index[e]} * n + column);
    }
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
  ParallelFor(stream, (rows + kChunk - 1) / kChunk, [&](int64_t chunk, int) {
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
  constexpr int64_t kColumns = 64;
  ParallelFor(stream, (n + kColumns - 1) / kColumns, [&](int64_t task, int) {
    const int64_t column = task * kColumns;
    HWY_DYNAMIC_DISPATCH(ScatterColumns)
    (row_begin, index, value, rows, dz, n, column,
     std::min(kColumns, n - column), dw);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
