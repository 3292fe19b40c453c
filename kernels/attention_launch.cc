#include "kernels/attention_launch.h"

#include <algorithm>

namespace continuo {
namespace {

constexpr int kWarps = kAttentionThreads / 32;
// Rows of a group: the columns of one tensor-core tile.
constexpr int kMaxRows = 8;
constexpr int kUnitsEach = 16;
constexpr int kMaxSplits = 8;
constexpr int kMaxCluster = 8;

// Sums are cut in parts to give every warp a tile.
int Splits(int tiles, int chunks) {
  return std::clamp(kWarps / tiles, 1, std::min(chunks, kMaxSplits));
}

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
  const bool forward = pass == AttentionPass::kForward;
  const int64_t padded = AttentionPadded(shape.n);
  if (padded > 1 << 16 || shape.window > 1 << 16) return false;
  AttentionLayout& l = *layout;
  l.padded = static_cast<int>(padded);
  l.units = l.padded / l.blocks;
  const int64_t operand_bytes = precision == Precision::kBf16 ? 2 : 4;
  const int chunk = precision == Precision::kBf16 ? 32 : 16;
  const int tiles = l.units / kUnitsEach;
  const int chunks = l.padded / chunk;
  const int wide_in = forward ? kWideIn : kWideOut;
  const int wide_out = forward ? kWideOut : kWideIn;
  const int narrow_in = forward ? kNarrowIn : kNarrowOut;
  const int narrow_out = forward ? kNarrowOut : kNarrowIn;
  l.wide_splits = Splits(tiles * wide_out, chunks * wide_in);
  l.narrow_splits = Splits(tiles * narrow_out, chunks * narrow_in);
  l.slot_groups = std::max(1, kAttentionThreads / l.padded);

  SharedMemory memory;
  if (weights_shared) {
    const int64_t segment = padded * l.units * operand_bytes;
    l.wide_weights = memory.Take(segment * kWideIn * kWideOut);
    l.narrow_weights = memory.Take(segment * kNarrowIn * kNarrowOut);
  }
  // Rows are so many 16-byte vectors apart that the lanes of a tile's loads
  // fall into different banks.
  const int64_t segments = forward ? 4 : kWideOut + 1;
  int64_t vectors = segments * padded * operand_bytes / 16;
  const int64_t offset = precision == Precision::kFp32 ? 1 : 4;
  while (vectors % 8 != offset) ++vectors;
  l.operand_stride = static_cast<int>(vectors * 16 / operand_bytes);
  l.operands = memory.Take(vectors * 16 * l.rows);
  const int64_t unit_rows = int64_t{l.rows} * (l.units + 4) * 4;
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
  // As many rows a block as give every multiprocessor one block: weights are
  // loaded once for all of them. Fewer where these do not fit.
  int rows = 1;
  while (rows < kMaxRows &&
         int64_t{rows} * properties.multiprocessors < shape.rows) {
    rows *= 2;
  }
  for (; rows >= 1; rows /= 2) {
    for (const int rings : {2, 1, 0}) {
      const bool forward = pass == AttentionPass::kForward;
      if (forward && rings == 1) continue;
      AttentionLayout layout;
      layout.rows = layout.own_rows = rows;
      // Gradients first: they are written, too.
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
  const int64_t blocks = shape.n / kUnitsEach;
  if (shape.n % kUnitsEach != 0 || blocks < 2 || blocks > kMaxCluster ||
      kMaxRows % blocks != 0) {
    return std::nullopt;
  }
  AttentionLayout layout;
  layout.blocks = static_cast<int>(blocks);
  layout.rows = kMaxRows;
  layout.own_rows = kMaxRows / layout.blocks;
  layout.gradients_shared = pass == AttentionPass::kBackward;
  for (const bool states_shared : {true, false}) {
    layout.states_shared = states_shared;
    if (LayOut(pass, shape, precision, properties, true, &layout)) {
      return layout;
    }
    if (pass == AttentionPass::kForward) break;
  }
  return std::nullopt;
}

}  // namespace continuo
