// What the next steps of a wave will do to its rows, as far as the host knows
// before a label is drawn: everything but which entries of a beam are kept, and
// requests that find they have enough.

#ifndef CONTINUO_GENERATE_DECODING_WAVE_PLAN_H_
#define CONTINUO_GENERATE_DECODING_WAVE_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "generate/decoding/generator.h"
#include "generate/decoding/wave_book.h"

namespace continuo {

// One step, in the order of WaveBook: the network takes all rows, prefixes that
// end become searches, all rows are sampled, iterations end.
struct PlannedStep {
  // The row that each row continues where searches start; empty where none do.
  std::vector<int32_t> start_source;
  // Rows from here on: the prefixes, whose labels are known, and the entries of
  // the searches.
  std::vector<int64_t> prefix_labels;  // [prefixes * heads]
  std::vector<int64_t> requests;       // of each search
  std::vector<int64_t> search_steps;   // events each has generated before
  int64_t prefixes = 0;
  int64_t rows = 0;
  // 1 for each search whose iteration ends and that goes on; empty where none
  // does, or where a beam of one entry has nothing to prune.
  std::vector<int32_t> ending;
  // Rows that stay after it; empty where all do.
  std::vector<int32_t> keep;

  bool starts() const { return !start_source.empty(); }
  bool reorders() const { return !ending.empty() || !keep.empty(); }
};

// The next steps, at most `max_steps`, fewer where all requests are done.
absl::StatusOr<std::vector<PlannedStep>> PlanSteps(
    const WaveBook& book, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    int max_steps);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_WAVE_PLAN_H_
