// SPDX-License-Identifier: Apache-2.0

#include "data/records/batch.h"

#include <algorithm>
#include <numeric>

#include "runtime/base/log.h"

namespace continuo {

PackedBatch PackBatch(const std::vector<const EncodedSequence*>& examples,
                      int heads) {
  PackedBatch batch;
  batch.heads = heads;
  const int num_rows = static_cast<int>(examples.size());
  batch.source.resize(num_rows);
  std::iota(batch.source.begin(), batch.source.end(), 0);
  std::stable_sort(batch.source.begin(), batch.source.end(), [&](int a, int b) {
    return examples[a]->inputs.rows() > examples[b]->inputs.rows();
  });
  batch.lengths.resize(num_rows);
  for (int row = 0; row < num_rows; ++row) {
    batch.lengths[row] = examples[batch.source[row]]->inputs.rows();
    CONTINUO_CHECK(batch.lengths[row] >= 1);
  }
  const int num_steps = num_rows == 0 ? 0 : batch.lengths[0];
  batch.batch_sizes.resize(num_steps);
  batch.step_begin.assign(num_steps + 1, 0);
  int alive = num_rows;
  for (int t = 0; t < num_steps; ++t) {
    while (batch.lengths[alive - 1] <= t) --alive;
    batch.batch_sizes[t] = alive;
    batch.step_begin[t + 1] = batch.step_begin[t] + alive;
  }
  if (num_rows > 0) batch.inputs.width = examples[0]->inputs.width;
  batch.labels.reserve(static_cast<size_t>(batch.num_events()) * heads);
  for (int t = 0; t < num_steps; ++t) {
    for (int row = 0; row < batch.batch_sizes[t]; ++row) {
      const EncodedSequence& example = *examples[batch.source[row]];
      batch.inputs.AppendRow(example.inputs, t);
      const auto label = example.labels.begin() + int64_t{t} * heads;
      batch.labels.insert(batch.labels.end(), label, label + heads);
    }
  }
  return batch;
}

}  // namespace continuo
