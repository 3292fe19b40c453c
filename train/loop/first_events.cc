// SPDX-License-Identifier: Apache-2.0

#include "train/loop/first_events.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "data/records/sparse_rows.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Enough to know the frequencies, few enough to be read in a moment.
constexpr int64_t kMaxExamples = 8192;

using Row = std::pair<std::vector<int32_t>, std::vector<float>>;

Row FirstRow(const SparseRows& rows) {
  const int32_t end = rows.row_begin[1];
  return {{rows.index.begin(), rows.index.begin() + end},
          {rows.value.begin(), rows.value.begin() + end}};
}

// The events of all labels by the inputs they give at the beginning. Labels
// that repeat what is not there yet stand for the default event.
absl::StatusOr<std::map<Row, Event>> EventsByRow(const EventEncoder& encoder) {
  CONTINUO_CHECK(encoder.num_heads() == 1);
  std::map<Row, Event> events;
  for (int64_t label = 0; label < encoder.num_classes(); ++label) {
    const Event event = encoder.DecodeLabel({&label, 1}, /*history=*/{});
    SparseRows rows;
    CONTINUO_RETURN_IF_ERROR(encoder.EncodeInputs({&event, 1}, 0, 1, &rows));
    events.emplace(FirstRow(rows), event);
  }
  return events;
}

}  // namespace

absl::StatusOr<FirstEvents> CountFirstEvents(const Dataset& dataset,
                                             const EventEncoder& encoder) {
  CONTINUO_ASSIGN_OR_RETURN(const auto event_of_row, EventsByRow(encoder));
  FirstEvents counts;
  const int64_t examples = std::min(dataset.num_examples(), kMaxExamples);
  EncodedSequence example;
  for (int64_t i = 0; i < examples; ++i) {
    CONTINUO_RETURN_IF_ERROR(
        dataset.Read(i * dataset.num_examples() / examples, &example));
    const auto found = event_of_row.find(FirstRow(example.inputs));
    if (found != event_of_row.end()) ++counts[found->second];
  }
  return counts;
}

}  // namespace continuo
