// SPDX-License-Identifier: Apache-2.0

// What one step does to the rows of a batch, as far as it is known before a
// label is drawn: what both decode loops execute and DecodeBatch commits.

#ifndef CONTINUO_GENERATE_DECODING_SCHEDULED_STEP_H_
#define CONTINUO_GENERATE_DECODING_SCHEDULED_STEP_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "generate/decoding/generator.h"
#include "generate/decoding/uniform_source.h"

namespace continuo {

// In this order: the network takes all rows, prefixes that end become searches,
// all rows are sampled, iterations end.
struct ScheduledStep {
  // The prefixes that end, and the row that each row continues after that; both
  // empty where none does.
  std::vector<int32_t> ended;
  std::vector<int32_t> start_source;
  // Rows from here on: the prefixes, whose labels are known, and the hypotheses
  // of the searches.
  std::vector<int64_t> prefix_labels;  // [prefixes * heads]
  std::vector<int64_t> requests;       // of each search
  std::vector<int64_t> search_steps;   // events each has generated before
  int64_t prefixes = 0;
  int64_t rows = 0;
  // 1 for each search that continues after its iteration ends; empty where none
  // does, or where a beam of one hypothesis has nothing to prune.
  std::vector<int32_t> ending;
  // Rows that stay after it; empty where all do.
  std::vector<int32_t> keep;

  bool starts() const { return !start_source.empty(); }
  bool reorders() const { return !ending.empty() || !keep.empty(); }
};

// The labels that the rows of a step have without drawing, [rows * heads]:
// those of the prefixes, -1 for all others. Empty where there are no prefixes.
std::vector<int64_t> TeacherForced(const ScheduledStep& step, int64_t heads);

// What `steps` steps with the rows of `first` draw with, [steps * rows *
// heads]; 0 for prefixes.
std::vector<double> Uniforms(const ScheduledStep& first, int64_t steps,
                             absl::Span<const EventRequest> requests,
                             int64_t hypotheses, int64_t heads,
                             const UniformSource& uniforms);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_SCHEDULED_STEP_H_
