// Packed products on the CPU. See matmul-inl.h for the register tile.

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/packing.h"
#include "kernels/parallel.h"
#include "runtime/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/matmul-inl.h"

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

// dw[k0.., n0..] += x^T dz over all events for one tile of the output. The
// events of a block are first copied: x to [kTileRows]-wide and dz to
// [kPanel]-wide panels, so that the register tile reads both in order.
void WeightGradientTile(const float* x, int64_t k, const int32_t* rows,
                        const float* dz, int64_t n, int64_t events, int64_t k0,
                        int64_t tile_k, int64_t n0, int64_t tile_n, float* dw,
                        float* scratch) {
  float* const x_panels = scratch;
  const int64_t x_count = (tile_k + kTileRows - 1) / kTileRows;
  float* const dz_panels = scratch + x_count * kTileRows * kSumBlock;
  for (int64_t e0 = 0; e0 < events; e0 += kSumBlock) {
    const int64_t count = std::min<int64_t>(kSumBlock, events - e0);
    for (int64_t e = 0; e < count; ++e) {
      const int64_t row = rows == nullptr ? e0 + e : rows[e0 + e];
      const float* from = x + row * k + k0;
      for (int64_t p = 0; p < x_count; ++p) {
        float* to = x_panels + (p * kSumBlock + e) * kTileRows;
        const int64_t valid =
            std::min<int64_t>(kTileRows, tile_k - p * kTileRows);
        for (int64_t i = 0; i < kTileRows; ++i) {
          to[i] = row >= 0 && i < valid ? from[p * kTileRows + i] : 0.0f;
        }
      }
      const float* dz_from = dz + (e0 + e) * n + n0;
      for (int64_t p = 0; p < PanelCount(tile_n); ++p) {
        float* to = dz_panels + (p * kSumBlock + e) * kPanel;
        const int64_t valid = std::min<int64_t>(kPanel, tile_n - p * kPanel);
        std::copy(dz_from + p * kPanel, dz_from + p * kPanel + valid, to);
        std::fill(to + valid, to + kPanel, 0.0f);
      }
    }
    for (int64_t column = 0; column < tile_n; column += kPanel) {
      const int columns =
          static_cast<int>(std::min<int64_t>(kPanel, tile_n - column));
      for (int64_t p = 0; p < x_count; ++p) {
        const int valid = static_cast<int>(
            std::min<int64_t>(kTileRows, tile_k - p * kTileRows));
        HWY_ALIGN float sums[kTileRows * kPanel];
        Panel(valid, count, x_panels + p * kTileRows * kSumBlock, 1, kTileRows,
              dz_panels + column * kSumBlock, nullptr, 0, sums, kPanel,
              columns);
        for (int r = 0; r < valid; ++r) {
          float* out = dw + (k0 + p * kTileRows + r) * n + n0 + column;
          for (int i = 0; i < columns; ++i) out[i] += sums[r * kPanel + i];
        }
      }
    }
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

// Rows of a task: a multiple of every tile height, small enough that its part
// of a stays in the level-1 cache.
constexpr int64_t kChunkRows = 48;

// Largest output tile of a WeightGradient task: both panels fit the level-2
// cache together.
constexpr int64_t kGradientTile = 132;

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
  const int64_t chunks = (m + kChunkRows - 1) / kChunkRows;
  ParallelFor(stream, chunks, [&](int64_t chunk, int) {
    const int64_t row = chunk * kChunkRows;
    const int64_t rows = std::min(kChunkRows, m - row);
    HWY_DYNAMIC_DISPATCH(GemmChunk)
    (rows, n, k, a + row * k, b, args.accumulate, bias, c + row * n);
  });
  return absl::OkStatus();
}

namespace {

// Column sums in blocks of kSumBlock events, as in the product.
void ColumnSums(const float* dz, int64_t events, int64_t n, int64_t column,
                int64_t columns, float* db) {
  float sums[kPanel];
  for (int64_t e0 = 0; e0 < events; e0 += kSumBlock) {
    const int64_t end = std::min<int64_t>(events, e0 + kSumBlock);
    std::fill(sums, sums + kPanel, 0.0f);
    for (int64_t e = e0; e < end; ++e) {
      const float* row = dz + e * n + column;
      for (int64_t i = 0; i < columns; ++i) sums[i] += row[i];
    }
    for (int64_t i = 0; i < columns; ++i) db[column + i] += sums[i];
  }
}

}  // namespace

absl::Status WeightGradient(const Stream& stream,
                            const WeightGradientArgs& args) {
  const int64_t events = args.dz.shape[0];
  const int64_t n = args.dz.shape[1];
  const float* dz = args.dz.data<float>();
  if (args.db) {
    float* db = args.db.data<float>();
    ParallelFor(stream, PanelCount(n), [&](int64_t panel, int) {
      const int64_t column = panel * kPanel;
      ColumnSums(dz, events, n, column, std::min<int64_t>(kPanel, n - column),
                 db);
    });
  }
  if (!args.dw) return absl::OkStatus();
  const int64_t k = args.dw.shape[0];
  const int32_t* rows = args.rows.data<int32_t>();
  CONTINUO_CHECK(args.dw.shape[1] == n && args.x.shape[1] == k);
  CONTINUO_CHECK(rows != nullptr ? args.rows.shape[0] == events
                                 : args.x.shape[0] == events);
  const float* x = args.x.data<float>();
  float* dw = args.dw.data<float>();
  float* scratch = args.scratch.data<float>();
  const int64_t scratch_each =
      WeightGradientScratch(stream) / NumWorkers(stream);
  const int64_t tiles_k = (k + kGradientTile - 1) / kGradientTile;
  constexpr int64_t kTileN = 128;
  const int64_t tiles_n = (n + kTileN - 1) / kTileN;
  ParallelFor(stream, tiles_k * tiles_n, [&](int64_t task, int worker) {
    const int64_t k0 = task / tiles_n * kGradientTile;
    const int64_t n0 = task % tiles_n * kTileN;
    HWY_DYNAMIC_DISPATCH(WeightGradientTile)
    (x, k, rows, dz, n, events, k0, std::min(kGradientTile, k - k0), n0,
     std::min(kTileN, n - n0), dw, scratch + worker * scratch_each);
  });
  return absl::OkStatus();
}

}  // namespace cpu

int64_t PackedSize(const Stream&, int64_t k, int64_t n) {
  return cpu::PanelCount(n) * cpu::kPanel * k;
}

int64_t WeightGradientScratch(const Stream& stream) {
  return cpu::NumWorkers(stream) * 2 * cpu::kGradientTile * kSumBlock;
}

}  // namespace continuo
#endif  // HWY_ONCE
