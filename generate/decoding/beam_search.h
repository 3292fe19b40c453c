// SPDX-License-Identifier: Apache-2.0

// Beam searches of one batch: their hypotheses, and pruning and branching
// between two iterations.

#ifndef CONTINUO_GENERATE_DECODING_BEAM_SEARCH_H_
#define CONTINUO_GENERATE_DECODING_BEAM_SEARCH_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "generate/decoding/generator.h"
#include "runtime/device/device.h"

namespace continuo {

// One sequence of a beam.
struct Hypothesis {
  std::vector<Event> events;
  double score = 0;
};

// A request that is being decoded.
struct Search {
  int64_t request = 0;
  int64_t step = 0;  // events generated
  std::vector<Hypothesis> hypotheses;
};

// Whether hypotheses are compared once a request has `step` events: iterations
// are counted from its end, so that the first one is the shorter one.
inline bool EndsIteration(const EventRequest& request,
                          const SearchOptions& options, int64_t step) {
  return (request.num_events - step) % options.steps_per_iteration == 0;
}

// Searches with the same number of hypotheses each, beam_size * branch_factor.
// Their hypotheses, in order, are consecutive rows of the batch.
class SearchList {
 public:
  // What is given must outlive the list.
  SearchList(const Stream& stream, absl::Span<const EventRequest> requests,
             const SearchOptions& options, const GenerateHooks& hooks)
      : stream_(stream),
        requests_(requests),
        options_(options),
        hooks_(hooks),
        hypotheses_(int64_t{options.beam_size} * options.branch_factor) {}

  bool empty() const { return searches_.empty(); }
  int64_t hypotheses_per_search() const { return hypotheses_; }
  std::vector<Search>& searches() { return searches_; }
  const std::vector<Search>& searches() const { return searches_; }

  // Adds the search of a request: copies of its primer with this score.
  void Start(int64_t request, double primer_score);

  // After a step (Search::step counts it): prunes and branches the searches
  // whose iteration is over, hands over the best hypothesis of those that are
  // finished and drops them. source[first_row + i] is the state that row i of
  // the list continues; it is rewritten and cut accordingly.
  absl::Status EndIterations(int64_t first_row, std::vector<int32_t>* source);

 private:
  std::vector<double> Scores(const std::vector<size_t>& searches) const;
  absl::Status PruneAndBranch(const std::vector<size_t>& ending,
                              int64_t first_row, std::vector<int32_t>* source);
  absl::Status Retire(const std::vector<size_t>& finished, int64_t first_row,
                      std::vector<int32_t>* source);
  void Trace(const std::vector<size_t>& searches,
             const std::vector<double>& scores,
             const std::vector<int32_t>& kept) const;

  const Stream& stream_;
  absl::Span<const EventRequest> requests_;
  const SearchOptions& options_;
  const GenerateHooks& hooks_;
  int64_t hypotheses_;
  std::vector<Search> searches_;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_BEAM_SEARCH_H_
