// SPDX-License-Identifier: Apache-2.0

// Products of a few rows with a packed matrix, for inclusion in the CPU
// operations once per instruction set (Highway's foreach_target).

// Per-target include guard.
#if defined(CONTINUO_KERNELS_GEMM_MATMUL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONTINUO_KERNELS_GEMM_MATMUL_INL_H_
#undef CONTINUO_KERNELS_GEMM_MATMUL_INL_H_
#else
#define CONTINUO_KERNELS_GEMM_MATMUL_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/gemm/packing.h"
#include "runtime/base/ceil_div.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Rows of a register tile and vectors across it. With 32 registers 12 x 2
// accumulators leave room for two vectors of b and a broadcast; with 16
// registers 6 x 2 do. Both give each multiply-add unit enough independent
// chains to hide its latency.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int kTileRows = 12;
#else
constexpr int kTileRows = 6;
#endif

// One register tile: c[r][0..] for kRows rows and kVectors vectors of columns,
// starting from `init` (row stride init_stride; 0 repeats a bias row; null is
// zero) and adding a[r][i] * b[i] for ascending i.
template <int kRows, int kVectors>
HWY_INLINE void Tile(int64_t k, const float* HWY_RESTRICT a, int64_t a_row,
                     int64_t a_step, const float* HWY_RESTRICT b,
                     const float* init, int64_t init_stride, float* c,
                     int64_t c_stride) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  V acc[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      acc[r][v] = init == nullptr
                      ? hn::Zero(d)
                      : hn::LoadU(d, init + r * init_stride + v * lanes);
    }
  }
  for (int64_t i = 0; i < k; ++i) {
    V bv[kVectors];
    for (int v = 0; v < kVectors; ++v) bv[v] = hn::Load(d, b + v * lanes);
    b += kPanel;
    for (int r = 0; r < kRows; ++r) {
      const V av = hn::Set(d, a[r * a_row]);
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = hn::MulAdd(av, bv[v], acc[r][v]);
      }
    }
    a += a_step;
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(acc[r][v], d, c + r * c_stride + v * lanes);
    }
  }
}

// The same for `columns` <= kVectors * lanes valid columns.
template <int kRows, int kVectors>
HWY_INLINE void TileColumns(int64_t k, const float* HWY_RESTRICT a,
                            int64_t a_row, int64_t a_step,
                            const float* HWY_RESTRICT b, const float* init,
                            int64_t init_stride, float* c, int64_t c_stride,
                            int columns) {
  const int width = kVectors * static_cast<int>(hn::Lanes(D()));
  if (columns >= width) {
    Tile<kRows, kVectors>(k, a, a_row, a_step, b, init, init_stride, c,
                          c_stride);
    return;
  }
  // The edge goes through a buffer, so that nothing outside c is touched.
  HWY_ALIGN float edge[kRows * kPanel] = {};
  for (int r = 0; r < kRows && init != nullptr; ++r) {
    for (int i = 0; i < columns; ++i) {
      edge[r * kPanel + i] = init[r * init_stride + i];
    }
  }
  Tile<kRows, kVectors>(k, a, a_row, a_step, b, edge, kPanel, edge, kPanel);
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < columns; ++i) {
      c[r * c_stride + i] = edge[r * kPanel + i];
    }
  }
}

// All `columns` (<= kPanel) of one panel for kRows rows.
template <int kRows>
HWY_NOINLINE void PanelRows(int64_t k, const float* HWY_RESTRICT a,
                            int64_t a_row, int64_t a_step,
                            const float* HWY_RESTRICT panel, const float* init,
                            int64_t init_stride, float* c, int64_t c_stride,
                            int columns) {
  const int lanes = static_cast<int>(hn::Lanes(D()));
  for (int column = 0; column < columns; column += 2 * lanes) {
    const float* from = init == nullptr ? nullptr : init + column;
    const int left = columns - column;
    if (left > lanes) {
      TileColumns<kRows, 2>(k, a, a_row, a_step, panel + column, from,
                            init_stride, c + column, c_stride, left);
    } else {
      TileColumns<kRows, 1>(k, a, a_row, a_step, panel + column, from,
                            init_stride, c + column, c_stride, left);
    }
  }
}

// One panel for `rows` <= kTileRows rows.
HWY_INLINE void Panel(int rows, int64_t k, const float* a, int64_t a_row,
                      int64_t a_step, const float* panel, const float* init,
                      int64_t init_stride, float* c, int64_t c_stride,
                      int columns) {
#define CONTINUO_ROWS(n)                      \
  case n:                                     \
    return PanelRows<std::min(n, kTileRows)>( \
        k, a, a_row, a_step, panel, init, init_stride, c, c_stride, columns)
  switch (rows) {
    CONTINUO_ROWS(1);
    CONTINUO_ROWS(2);
    CONTINUO_ROWS(3);
    CONTINUO_ROWS(4);
    CONTINUO_ROWS(5);
    CONTINUO_ROWS(6);
    CONTINUO_ROWS(7);
    CONTINUO_ROWS(8);
    CONTINUO_ROWS(9);
    CONTINUO_ROWS(10);
    CONTINUO_ROWS(11);
    CONTINUO_ROWS(12);
  }
#undef CONTINUO_ROWS
}

// What the sums of a product start from.
enum class Start { kZero, kBias, kC };

// c [m, n] = start + a [m, k] b, b packed. `bias` is used with kBias alone.
// Rows of a and c are a_stride and c_stride apart.
inline void MatmulRows(int64_t m, int64_t n, int64_t k, const float* a,
                       int64_t a_stride, const float* packed, Start start,
                       const float* bias, float* c, int64_t c_stride) {
  // Rows are shared out evenly: 13 rows are 7 + 6, not 12 + 1.
  const int64_t tiles = CeilDiv(m, kTileRows);
  // With several row tiles, k is cut so that a panel's share stays in the
  // level-1 cache while they pass.
  constexpr int64_t kMaxDepth = 192;
  const int64_t depth = tiles > 1 ? std::min(k, kMaxDepth) : k;
  for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += depth) {
    const int64_t steps = std::min(depth, k - k0);
    const Start from = k0 == 0 ? start : Start::kC;
    for (int64_t column = 0; column < n; column += kPanel) {
      const int columns =
          static_cast<int>(std::min<int64_t>(kPanel, n - column));
      const float* panel = packed + column * k + k0 * kPanel;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t row = m * tile / tiles;
        const int rows = static_cast<int>(m * (tile + 1) / tiles - row);
        float* out = c + row * c_stride + column;
        const float* init = from == Start::kZero   ? nullptr
                            : from == Start::kBias ? bias + column
                                                   : out;
        Panel(rows, steps, a + row * a_stride + k0, a_stride, 1, panel, init,
              from == Start::kBias ? 0 : c_stride, out, c_stride, columns);
      }
    }
    if (k == 0) break;
  }
}

}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
