// SPDX-License-Identifier: Apache-2.0

#include "kernels/attention/attention_launch.h"

#include <algorithm>

namespace continuo {
namespace {

class SharedMemory {
 public:
  int Take(int64_t bytes) {
    const int64_t at = size_;
    size_ += (bytes + 15) / 16 * 16;
    return static_cast<int>(std::min<int64_t>(at, INT32_MAX));
  }
  int64_t size() const { return size_; }

 private:
  int64_t size_ = 0;
};

// Lays out `layout`, whose blocks, rows, own_rows and places of the windows are
// given. False: it does not fit.
bool LayOut(AttentionPass pass, const AttentionShape& shape,
            Precision precision, const GpuProperties& properties,
            bool weights_shared, AttentionLayout* layout) {
  // More would not fit, and overflow.
  constexpr int64_t kMost = 1 << 16;
  if (shape.n > kMost || shape.window > kMost) return false;
  const bool forward = pass == AttentionPass::kForward;
  const int64_t padded = AttentionPadded(shape.n);
  AttentionLayout& l = *layout;
  l.padded = static_cast<int>(padded);
  l.units = l.padded / l.blocks;
  l.wide_splits = AttentionWideSplits(pass, l.padded, l.units, precision);
  l.narrow_splits = AttentionNarrowSplits(pass, l.padded, l.units, precision);
  l.slot_groups = AttentionSlotGroups(l.padded);
  l.operand_stride = AttentionOperandStride(pass, l.padded, precision);

  SharedMemory memory;
  const int64_t operand_bytes = precision == Precision::kBf16 ? 2 : 4;
  if (weights_shared) {
    const int64_t segment = padded * l.units * operand_bytes;
    l.wide_weights = memory.Take(segment * kWideIn * kWideOut);
    l.narrow_weights = memory.Take(segment * kNarrowIn * kNarrowOut);
  }
  l.operands = memory.Take(l.operand_stride * operand_bytes * l.rows);
  const int64_t unit_rows = int64_t{l.rows} * AttentionSumStride(l.units) * 4;
  const int wide_out = forward ? kWideOut : kWideIn;
  const int narrow_out = forward ? kNarrowOut : kNarrowIn;
  l.sums = memory.Take(unit_rows * std::max(l.wide_splits * wide_out,
                                            l.narrow_splits * narrow_out));
  l.carry = memory.Take(2 * unit_rows);
  const int64_t own = l.own_rows;
  l.query = memory.Take(own * padded * 4);
  if (!forward) l.dattention = memory.Take(own * padded * 4);
  l.score = memory.Take(padded * 4);
  l.weight = memory.Take(2 * own * (shape.window + 1) * 4);
  l.partial = memory.Take(own * l.slot_groups * padded * 4);
  if (!forward) l.dscore = memory.Take(own * l.slot_groups * padded * 4);
  const int64_t rings = 2 * own * shape.window * shape.n * 4;
  if (l.states_shared) l.states = memory.Take(rings);
  if (l.gradients_shared) l.gradients = memory.Take(rings);
  l.shared_bytes = static_cast<int>(std::min<int64_t>(memory.size(), 1 << 30));
  return memory.size() <= properties.shared_bytes_per_block;
}

}  // namespace

std::optional<AttentionLayout> AttentionPlainLayout(
    AttentionPass pass, const AttentionShape& shape, Precision precision,
    const GpuProperties& properties) {
  // So many rows a block that there are no more blocks than about half the
  // multiprocessors: these can take all that the level-2 cache gives, and more
  // rows share what a block loads. Fewer rows where these do not fit.
  int rows = 1;
  while (rows < kAttentionRows &&
         int64_t{rows} * properties.multiprocessors < 2 * shape.rows) {
    rows *= 2;
  }
  const bool forward = pass == AttentionPass::kForward;
  for (; rows >= 1; rows /= 2) {
    // Gradients of the window first: they are written, too.
    for (const int rings : {2, 1, 0}) {
      if (forward && rings == 1) continue;
      AttentionLayout layout;
      layout.rows = layout.own_rows = rows;
      layout.states_shared = rings == 2;
      layout.gradients_shared = !forward && rings >= 1;
      if (LayOut(pass, shape, precision, properties, false, &layout)) {
        return layout;
      }
    }
  }
  return std::nullopt;
}

std::optional<AttentionLayout> AttentionClusterLayout(
    AttentionPass pass, const AttentionShape& shape, Precision precision,
    const GpuProperties& properties) {
  if (properties.compute_capability < 90) return std::nullopt;
  const bool wide = shape.n == 256 && precision == Precision::kBf16;
  if (shape.n != 128 && !wide) return std::nullopt;
  const bool forward = pass == AttentionPass::kForward;
  for (const bool states_shared : {true, false}) {
    AttentionLayout layout;
    layout.blocks = static_cast<int>(shape.n) / kAttentionTileUnits;
    layout.rows = kAttentionRows;
    layout.own_rows = 1;
    layout.states_shared = states_shared;
    layout.gradients_shared = !forward;
    if (LayOut(pass, shape, precision, properties, true, &layout)) {
      return layout;
    }
    if (forward) break;  // other blocks write its window's states
  }
  return std::nullopt;
}

}  // namespace continuo
