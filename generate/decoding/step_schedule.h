// The schedule of the next steps of a batch: what each will do to its rows, as
// far as the host knows before a label is drawn. Which hypotheses of a beam are
// kept, and which requests find they have enough, is not known yet.

#ifndef CONTINUO_GENERATE_DECODING_STEP_SCHEDULE_H_
#define CONTINUO_GENERATE_DECODING_STEP_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "generate/decoding/decode_batch.h"
#include "generate/decoding/generator.h"

namespace continuo {

// One step, in the order of DecodeBatch: the network takes all rows, prefixes
// that end become searches, all rows are sampled, iterations end.
struct ScheduledStep {
  // The row that each row continues where searches start; empty where none do.
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

// The next steps, at most `max_steps`, fewer where all requests are done.
absl::StatusOr<std::vector<ScheduledStep>> ScheduleSteps(
    const DecodeBatch& batch, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    int max_steps);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_STEP_SCHEDULE_H_
