// SPDX-License-Identifier: Apache-2.0

// Packed products on the CPU; see matmul-inl.h for the register tile. Bound by
// arithmetic: 95 % of the machine's product peak for the shapes of the
// networks, 73 % for gradients of weights, which first copy their blocks of
// events (kernels/README.md).

#include <algorithm>
#include <cstring>

#include "kernels/common/parallel_for.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/packing.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm/gemm_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"
#include "kernels/gemm/matmul-inl.h"
#include "runtime/base/ceil_div.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

void GemmChunk(int64_t m, int64_t n, int64_t k, const float* a,
               const float* packed, bool accumulate, const float* bias,
               float* c) {
  const Start start = accumulate        ? Start::kC
                      : bias != nullptr ? Start::kBias
                                        : Start::kZero;
  MatmulRows(m, n, k, a, k, packed, start, bias, c, n);
}

// Copies columns [from, from + columns) of one event to its place in panels of
// kWidth columns, which are kSumBlock events long; columns past the end are
// zeros. A null `row` is a row of zeros.
template <int kWidth>
HWY_INLINE void PackEvent(const float* row, int64_t columns, float* panels) {
  for (; columns > 0; columns -= kWidth) {
    if (row != nullptr && columns >= kWidth) {
      std::memcpy(panels, row, kWidth * sizeof(float));
    } else {
      const int64_t valid = row == nullptr ? 0 : columns;
      for (int64_t i = 0; i < kWidth; ++i) {
        panels[i] = i < valid ? row[i] : 0.0f;
      }
    }
    panels += kWidth * kSumBlock;
    if (row != nullptr) row += kWidth;
  }
}

// db += sums over one block of events of `columns` columns, rows `stride`
// apart.
HWY_INLINE void SumBlock(const float* dz, int64_t stride, int64_t count,
                         int64_t columns, float* db) {
  ForEachVector(columns, [&](auto d, int64_t i) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (int64_t e = 0; e < count; ++e) {
      sum = hn::Add(sum, hn::LoadU(d, dz + e * stride + i));
    }
    hn::StoreU(hn::Add(hn::LoadU(d, db + i), sum), d, db + i);
  });
}

// The tile [k0, k0 + tile_k) x [n0, n0 + tile_n) of dw += x^T dz, over all
// events, and db [tile_n] += sums of dz unless it is null. The events of a
// block are first copied to panels, x to kTileRows wide and dz to kPanel wide
// ones, so that the register tile reads both in order.
void WeightGradientTile(const float* x, int64_t k, const int32_t* rows,
                        const float* dz, int64_t n, int64_t events, int64_t k0,
                        int64_t tile_k, int64_t n0, int64_t tile_n, float* dw,
                        float* db, float* scratch) {
  float* const dz_panels = scratch;
  float* const x_panels = scratch + PanelCount(tile_n) * kPanel * kSumBlock;
  for (int64_t e0 = 0; e0 < events; e0 += kSumBlock) {
    const int64_t count = std::min<int64_t>(kSumBlock, events - e0);
    for (int64_t e = 0; e < count; ++e) {
      const int64_t row = rows == nullptr ? e0 + e : rows[e0 + e];
      PackEvent<kTileRows>(row < 0 ? nullptr : x + row * k + k0, tile_k,
                           x_panels + e * kTileRows);
      PackEvent<kPanel>(dz + (e0 + e) * n + n0, tile_n, dz_panels + e * kPanel);
    }
    for (int64_t column = 0; column < tile_n; column += kPanel) {
      const int columns =
          static_cast<int>(std::min<int64_t>(kPanel, tile_n - column));
      if (db != nullptr) {
        SumBlock(dz_panels + column * kSumBlock, kPanel, count, columns,
                 db + column);
      }
      for (int64_t i = 0; i < tile_k; i += kTileRows) {
        const int valid =
            static_cast<int>(std::min<int64_t>(kTileRows, tile_k - i));
        HWY_ALIGN float sums[kTileRows * kPanel];
        Panel(valid, count, x_panels + i * kSumBlock, 1, kTileRows,
              dz_panels + column * kSumBlock, nullptr, 0, sums, kPanel,
              columns);
        float* out = dw + (k0 + i) * n + n0 + column;
        for (int r = 0; r < valid; ++r, out += n) {
          AddRow(columns, sums + r * kPanel, out);
        }
      }
    }
  }
}

// db [columns] += sums of the columns of dz, whose rows are n apart.
void ColumnSums(const float* dz, int64_t events, int64_t n, int64_t columns,
                float* db) {
  for (int64_t e0 = 0; e0 < events; e0 += kSumBlock) {
    const int64_t count = std::min<int64_t>(kSumBlock, events - e0);
    SumBlock(dz + e0 * n, n, count, columns, db);
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo {
namespace cpu {
namespace {

HWY_EXPORT(GemmChunk);
HWY_EXPORT(WeightGradientTile);
HWY_EXPORT(ColumnSums);

// Rows of a task: a multiple of every tile height, small enough that its part
// of a stays in the level-1 cache.
constexpr int64_t kChunkRows = 48;

// Largest output tile of a WeightGradient task: the panels of a block of events
// fit the level-2 cache together. The rows are a multiple of every tile height.
constexpr int64_t kGradientRows = 132;
constexpr int64_t kGradientColumns = 256;

}  // namespace

absl::Status PackMatrix(const Stream&, const PackMatrixArgs& args) {
  CONTINUO_CHECK(args.matrix.shape.rank() == 2);
  const float* matrix = args.matrix.data<float>();
  const int64_t k = args.matrix.shape[args.transpose ? 1 : 0];
  const int64_t n = args.matrix.shape[args.transpose ? 0 : 1];
  const int64_t row_step = args.transpose ? 1 : n;
  const int64_t column_step = args.transpose ? k : 1;
  float* out = args.packed.data<float>();
  for (int64_t column = 0; column < n; column += kPanel) {
    const int64_t valid = std::min<int64_t>(kPanel, n - column);
    for (int64_t i = 0; i < k; ++i) {
      const float* from = matrix + i * row_step + column * column_step;
      for (int64_t j = 0; j < valid; ++j) out[j] = from[j * column_step];
      std::fill(out + valid, out + kPanel, 0.0f);
      out += kPanel;
    }
  }
  return absl::OkStatus();
}

absl::Status Gemm(const Stream& stream, const GemmArgs& args) {
  const int64_t m = args.a.shape[0];
  const int64_t k = args.a.shape[1];
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.c.shape[0] == m && !(args.accumulate && args.bias));
  CONTINUO_CHECK(args.b.num_elements() == PackedSize(stream, k, n));
  const float* a = args.a.data<float>();
  const float* b = args.b.data<float>();
  const float* bias = args.bias.data<float>();
  float* c = args.c.data<float>();
  const int64_t chunks = CeilDiv(m, kChunkRows);
  ParallelFor(stream, chunks, [&](int64_t chunk, int) {
    const int64_t row = chunk * kChunkRows;
    const int64_t rows = std::min(kChunkRows, m - row);
    HWY_DYNAMIC_DISPATCH(GemmChunk)
    (rows, n, k, a + row * k, b, args.accumulate, bias, c + row * n);
  });
  return absl::OkStatus();
}

absl::Status WeightGradient(const Stream& stream,
                            const WeightGradientArgs& args) {
  const int64_t events = args.dz.shape[0];
  const int64_t n = args.dz.shape[1];
  const float* dz = args.dz.data<float>();
  float* db = args.db.data<float>();
  if (!args.dw) {
    ParallelFor(stream, PanelCount(n), [&](int64_t panel, int) {
      const int64_t column = panel * kPanel;
      HWY_DYNAMIC_DISPATCH(ColumnSums)
      (dz + column, events, n, std::min<int64_t>(kPanel, n - column),
       db + column);
    });
    return absl::OkStatus();
  }
  const int64_t k = args.dw.shape[0];
  const int32_t* rows = args.rows.data<int32_t>();
  CONTINUO_CHECK(args.dw.shape[1] == n && args.x.shape[1] == k);
  CONTINUO_CHECK(rows != nullptr ? args.rows.shape[0] == events
                                 : args.x.shape[0] == events);
  const float* x = args.x.data<float>();
  float* dw = args.dw.data<float>();
  float* scratch = args.scratch.data<float>();
  const int64_t scratch_each = args.scratch.num_elements() / NumWorkers(stream);
  // Wide tiles copy x less often; narrow ones keep many threads busy.
  const int64_t tiles_k = CeilDiv(k, kGradientRows);
  const int64_t strips =
      CeilDiv(NumWorkers(stream), tiles_k);  // wanted at least
  const int64_t tile_n = std::clamp<int64_t>(
      PanelCount(CeilDiv(n, strips)) * kPanel, kPanel, kGradientColumns);
  const int64_t tiles_n = CeilDiv(n, tile_n);
  ParallelFor(stream, tiles_k * tiles_n, [&](int64_t task, int worker) {
    const int64_t k0 = task / tiles_n * kGradientRows;
    const int64_t n0 = task % tiles_n * tile_n;
    HWY_DYNAMIC_DISPATCH(WeightGradientTile)
    (x, k, rows, dz, n, events, k0, std::min(kGradientRows, k - k0), n0,
     std::min(tile_n, n - n0), dw, k0 == 0 && db != nullptr ? db + n0 : nullptr,
     scratch + worker * scratch_each);
  });
  return absl::OkStatus();
}

}  // namespace cpu

int64_t PackedSize(const Stream& stream, int64_t k, int64_t n) {
  if (stream.device.type == DeviceType::kCuda) return k * n;
  return cpu::PanelCount(n) * cpu::kPanel * k;
}

int64_t WeightGradientScratch(const Stream& stream, int64_t e, int64_t k,
                              int64_t n) {
  if constexpr (kHasCuda) {
    if (stream.device.type == DeviceType::kCuda) {
      return gpu::WeightGradientScratch(e, k, n);
    }
  }
  return cpu::NumWorkers(stream) * kSumBlock *
         (cpu::kGradientRows + cpu::kGradientColumns);
}

}  // namespace continuo
#endif  // HWY_ONCE
