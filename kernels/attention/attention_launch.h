// SPDX-License-Identifier: Apache-2.0

// Launch shapes of the attention cell on a GPU, and which form it takes. Host
// code without CUDA, so that a test without a device can ask for any.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_LAUNCH_H_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_LAUNCH_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "runtime/device/device.h"
#include "runtime/device/gpu_properties.h"

namespace continuo {

inline constexpr int kAttentionThreads = 512;
// Rows of a group: the columns of a tensor-core tile.
inline constexpr int kAttentionRows = 8;
// Units of a tile, and of a block of a cluster; inputs of a tile.
inline constexpr int kAttentionTileUnits = 16;
constexpr int AttentionTileInputs(Precision precision) {
  return precision == Precision::kTf32 ? 16 : 32;
}

struct AttentionShape {
  int64_t rows = 0;  // N
  int64_t n = 0;
  int64_t window = 0;  // A
};
enum class AttentionPass { kForward, kBackward };

// A group of `blocks` blocks (a cluster; one block in the plain form) takes
// `rows` rows through all time steps. Each block computes its slice of the
// units for all of these rows, and the windows of its own rows.
struct AttentionLayout {
  int blocks = 1;
  int rows = 0;         // rows of a group
  int own_rows = 0;     // rows whose windows a block owns; the first blocks do
  int padded = 0;       // units rounded up: P
  int units = 0;        // units of a block, a multiple of 16
  int wide_splits = 1;  // parts that the sums of the wide products are cut in
  int narrow_splits = 1;          // the same of the narrow ones
  int slot_groups = 1;            // parts that sums over the window are cut in
  bool states_shared = false;     // window states are in shared memory
  bool gradients_shared = false;  // so are their gradients
  // Offsets in shared memory, in bytes. What each array is for: the kernels.
  int wide_weights = 0;
  int narrow_weights = 0;
  int operands = 0;        // [rows, operand_stride]
  int operand_stride = 0;  // elements
  int sums = 0;            // [splits, segments, rows, sum stride]
  int carry = 0;           // two of [rows, sum stride]
  int query = 0;           // [own_rows, padded]
  int dattention = 0;      // [own_rows, padded]
  int score = 0;           // [padded]: v
  int weight = 0;          // two of [own_rows, window + 1]
  int partial = 0;         // [own_rows, slot_groups, padded]
  int dscore = 0;          // [own_rows, slot_groups, padded]
  int states = 0;          // two of [own_rows, window, n]
  int gradients = 0;       // the same
  int shared_bytes = 0;
};

// Blocks that synchronize only at the end of the launch; weights stream through
// the level-2 cache at every step. nullopt: a row does not fit shared memory.
std::optional<AttentionLayout> AttentionPlainLayout(
    AttentionPass pass, const AttentionShape& shape, Precision precision,
    const GpuProperties& properties);

// Clusters that keep the weights on chip: of 8 blocks for 128 units, of 16 for
// 256 in bf16. nullopt where they do not fit.
std::optional<AttentionLayout> AttentionClusterLayout(
    AttentionPass pass, const AttentionShape& shape, Precision precision,
    const GpuProperties& properties);

inline bool AttentionClusterFits(AttentionPass pass,
                                 const AttentionShape& shape,
                                 Precision precision,
                                 const GpuProperties& properties) {
  return AttentionClusterLayout(pass, shape, precision, properties).has_value();
}

// Segments of `padded` operands or sums: of the wide product [in, out]
// forward, and of the narrow one. Backward swaps in and out.
inline constexpr int kWideIn = 2;     // a, h of the step before
inline constexpr int kWideOut = 6;    // z_i, z_j, z_f, z_o; out, projected
inline constexpr int kNarrowIn = 2;   // h, c
inline constexpr int kNarrowOut = 1;  // q
inline constexpr int64_t kFoldedSegments =
    kWideIn * kWideOut + kNarrowIn * kNarrowOut;

// Units rounded up so that segments are whole tiles of every product.
constexpr int64_t AttentionPadded(int64_t n) { return (n + 31) / 32 * 32; }

// What follows is the arithmetic of layouts that kernels know at compile time
// where they know n.

// Floats between the sums of a row and those of the next. The sums of two rows
// of a block of a cluster fill the banks (SumPlace); longer rows are padded.
constexpr int AttentionSumStride(int units) {
  return units == kAttentionTileUnits ? units : units + 4;
}

// Parts that sums are cut in, to give every warp a tile.
constexpr int AttentionSplits(int tiles, int chunks) {
  constexpr int kWarps = kAttentionThreads / 32;
  constexpr int kMost = 8;
  int splits = std::clamp(kWarps / tiles, 1, std::min(chunks, kMost));
  while (chunks % splits != 0) --splits;
  return splits;
}
constexpr int AttentionWideSplits(AttentionPass pass, int padded, int units,
                                  Precision precision) {
  const bool forward = pass == AttentionPass::kForward;
  return AttentionSplits(
      units / kAttentionTileUnits * (forward ? kWideOut : kWideIn),
      padded / AttentionTileInputs(precision) * (forward ? kWideIn : kWideOut));
}
constexpr int AttentionNarrowSplits(AttentionPass pass, int padded, int units,
                                    Precision precision) {
  const bool forward = pass == AttentionPass::kForward;
  return AttentionSplits(
      units / kAttentionTileUnits * (forward ? kNarrowOut : kNarrowIn),
      padded / AttentionTileInputs(precision) *
          (forward ? kNarrowIn : kNarrowOut));
}
constexpr int AttentionSlotGroups(int padded) {
  return std::max(1, kAttentionThreads / padded);
}

// Elements between rows of operands. Half a 128-byte line off a multiple of
// it: the lanes of a tile's loads fall into different banks.
constexpr int AttentionOperandStride(AttentionPass pass, int padded,
                                     Precision precision) {
  const int bytes = precision == Precision::kBf16 ? 2 : 4;
  const int segments = pass == AttentionPass::kForward ? 4 : kWideOut + 1;
  int vectors = segments * padded * bytes / 16;
  while (vectors % 8 != 4) ++vectors;
  return vectors * 16 / bytes;
}

}  // namespace continuo

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_LAUNCH_H_
