// SPDX-License-Identifier: Apache-2.0

// How the recurrent CPU operations share a batch between threads.

#ifndef CONTINUO_KERNELS_COMMON_ROW_BLOCKS_H_
#define CONTINUO_KERNELS_COMMON_ROW_BLOCKS_H_

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "kernels/common/parallel_for.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/base/ceil_div.h"

namespace continuo::cpu {

// Rows do not depend on each other, so a thread takes a block of rows through
// all its steps without waiting for anybody. Blocks start with the longest
// rows, so the last ones to be handed out are short and the threads end
// together. 12 rows fill the register tile of matmul-inl.h (8, 24 and 32
// measured the same within 5 %); with many threads smaller blocks keep all of
// them busy. No result depends on the choice.
inline void ForEachRowBlock(const Stream& stream, int64_t rows,
                            absl::FunctionRef<void(int64_t, int64_t)> fn) {
  constexpr int64_t kBlockRows = 12;
  const int64_t share = rows / (2 * NumWorkers(stream));
  const int64_t block = std::clamp<int64_t>(share, 1, kBlockRows);
  ParallelFor(stream, CeilDiv(rows, block), [&](int64_t task, int) {
    fn(task * block, std::min(rows, (task + 1) * block));
  });
}

inline void ForEachRowBlock(const Stream& stream, const RaggedLayout& ragged,
                            absl::FunctionRef<void(int64_t, int64_t)> fn) {
  if (ragged.steps() == 0) return;
  ForEachRowBlock(stream, ragged.batch_sizes.data<int32_t>()[0], fn);
}

}  // namespace continuo::cpu

#endif  // CONTINUO_KERNELS_COMMON_ROW_BLOCKS_H_
