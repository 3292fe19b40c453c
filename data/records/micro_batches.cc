// SPDX-License-Identifier: Apache-2.0

#include "data/records/micro_batches.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {

// The rows are dealt in rounds, longest first: in each round every micro-batch
// gets one row, the one with the fewest events so far the longest. A round
// makes no difference larger than it was, or than its longest row.
std::vector<std::vector<int32_t>> CutBatch(absl::Span<const int32_t> lengths,
                                           int count) {
  CONTINUO_CHECK(count >= 1);
  const int32_t rows = static_cast<int32_t>(lengths.size());
  std::vector<int32_t> order(rows);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return lengths[a] > lengths[b];
  });
  std::vector<std::vector<int32_t>> parts(count);
  std::vector<int64_t> events(count, 0);
  std::vector<int32_t> turn(count);  // lightest first
  std::iota(turn.begin(), turn.end(), 0);
  for (int32_t row = 0; row < rows; ++row) {
    const int32_t place = row % count;
    if (place == 0) {
      std::sort(turn.begin(), turn.end(), [&](int32_t a, int32_t b) {
        return events[a] != events[b] ? events[a] < events[b] : a < b;
      });
    }
    parts[turn[place]].push_back(order[row]);
    events[turn[place]] += lengths[order[row]];
  }
  return parts;
}

int MaxMicroBatchRows(int rows, int count) {
  return static_cast<int>(CeilDiv(rows, count));
}

// The mean, and what the largest may be above it: all others could be lighter
// by the longest row.
int64_t MaxMicroBatchEvents(int64_t events, int64_t longest, int count) {
  return std::min(events, (events + (count - 1) * longest) / count);
}

MicroBatchRange RangeOfRank(int count, int rank, int size) {
  CONTINUO_CHECK(rank >= 0 && rank < size);
  const int64_t all = count;
  return {.count = count,
          .begin = static_cast<int>(all * rank / size),
          .end = static_cast<int>(all * (rank + 1) / size)};
}

BatchStreamOptions StreamOfPart(const MicroBatchRange& range) {
  BatchStreamOptions options;
  if (range.count == 1 && range.size() == 1) return options;  // all rows
  options.choose = [range](const DrawnBatch& plan) {
    std::vector<std::vector<int32_t>> cut = CutBatch(plan.lengths, range.count);
    cut.resize(range.end);
    cut.erase(cut.begin(), cut.begin() + range.begin);
    return cut;
  };
  return options;
}

absl::StatusOr<BatchPart> ReadPart(BatchStream* stream) {
  const DrawnBatch& plan = stream->NextPlan();
  BatchPart part;
  part.num_events = plan.num_events();
  const size_t parts = plan.parts.size();
  for (size_t k = 0; k < parts; ++k) {
    CONTINUO_ASSIGN_OR_RETURN(PackedBatch batch, stream->NextPart());
    part.micro_batches.push_back(std::move(batch));
  }
  return part;
}

}  // namespace continuo
