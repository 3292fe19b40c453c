// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/step_schedule.h"

#include <algorithm>
#include <utility>

#include "runtime/base/status.h"

namespace continuo {
namespace {

struct PlannedPrefix {
  const SharedPrefix* prefix = nullptr;
  int position = 0;
};

struct PlannedSearch {
  int64_t request = 0;
  int64_t step = 0;
};

class Planner {
 public:
  Planner(const DecodeBatch& batch, const EventEncoder& encoder,
          absl::Span<const EventRequest> requests, const SearchOptions& options)
      : encoder_(encoder),
        requests_(requests),
        options_(options),
        hypotheses_(batch.hypotheses_per_search()) {
    for (const SharedPrefix& prefix : batch.prefixes()) {
      prefixes_.push_back({.prefix = &prefix, .position = prefix.position});
    }
    for (const Search& search : batch.searches()) {
      searches_.push_back({.request = search.request, .step = search.step});
    }
  }

  bool done() const { return prefixes_.empty() && searches_.empty(); }

  absl::StatusOr<ScheduledStep> Step() {
    ScheduledStep step;
    Start(&step);
    step.prefixes = static_cast<int64_t>(prefixes_.size());
    step.rows =
        step.prefixes + static_cast<int64_t>(searches_.size()) * hypotheses_;
    CONTINUO_RETURN_IF_ERROR(Advance(&step));
    EndIterations(&step);
    return step;
  }

 private:
  void Start(ScheduledStep* step) {
    const auto num_prefixes = static_cast<int32_t>(prefixes_.size());
    const auto rows = static_cast<int32_t>(
        prefixes_.size() + searches_.size() * static_cast<size_t>(hypotheses_));
    std::vector<PlannedPrefix> left;
    for (int32_t i = 0; i < num_prefixes; ++i) {
      const PlannedPrefix& planned = prefixes_[i];
      const bool last = planned.position + 1 ==
                        static_cast<int>(planned.prefix->primer->size());
      if (last) {
        step->ended.push_back(i);
      } else {
        left.push_back(planned);
        step->start_source.push_back(i);
      }
    }
    if (step->ended.empty()) {
      step->start_source.clear();
      return;
    }
    for (int32_t row = num_prefixes; row < rows; ++row) {
      step->start_source.push_back(row);
    }
    for (int32_t i : step->ended) {
      for (int64_t request : prefixes_[i].prefix->requests) {
        searches_.push_back({.request = request});
        step->start_source.insert(step->start_source.end(), hypotheses_, i);
      }
    }
    prefixes_ = std::move(left);
  }

  absl::Status Advance(ScheduledStep* step) {
    const int heads = encoder_.num_heads();
    step->prefix_labels.resize(prefixes_.size() * heads);
    for (size_t i = 0; i < prefixes_.size(); ++i) {
      CONTINUO_RETURN_IF_ERROR(Annotate(
          encoder_.EncodeLabel(
              *prefixes_[i].prefix->primer, ++prefixes_[i].position,
              absl::MakeSpan(step->prefix_labels).subspan(i * heads, heads)),
          "primer"));
    }
    for (PlannedSearch& search : searches_) {
      step->requests.push_back(search.request);
      step->search_steps.push_back(search.step++);
    }
    return absl::OkStatus();
  }

  void EndIterations(ScheduledStep* step) {
    std::vector<PlannedSearch> left;
    std::vector<int32_t> ending;
    bool any_ends = false;
    for (int64_t row = 0; row < step->prefixes; ++row) {
      step->keep.push_back(static_cast<int32_t>(row));
    }
    int64_t row = step->prefixes;
    for (const PlannedSearch& search : searches_) {
      const EventRequest& wanted = requests_[search.request];
      const bool ends = EndsIteration(wanted, options_, search.step);
      const bool finished = search.step == wanted.num_events;
      ending.push_back(ends && !finished ? 1 : 0);
      any_ends |= ends && !finished;
      if (!finished) {
        left.push_back(search);
        for (int64_t i = 0; i < hypotheses_; ++i) {
          step->keep.push_back(static_cast<int32_t>(row + i));
        }
      }
      row += hypotheses_;
    }
    if (any_ends && hypotheses_ > 1) step->ending = std::move(ending);
    if (left.size() == searches_.size()) step->keep.clear();
    searches_ = std::move(left);
  }

  const EventEncoder& encoder_;
  absl::Span<const EventRequest> requests_;
  const SearchOptions& options_;
  const int64_t hypotheses_;
  std::vector<PlannedPrefix> prefixes_;
  std::vector<PlannedSearch> searches_;
};

}  // namespace

absl::StatusOr<std::vector<ScheduledStep>> ScheduleSteps(
    const DecodeBatch& batch, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    int max_steps) {
  Planner planner(batch, encoder, requests, options);
  std::vector<ScheduledStep> steps;
  while (static_cast<int>(steps.size()) < max_steps && !planner.done()) {
    CONTINUO_ASSIGN_OR_RETURN(ScheduledStep step, planner.Step());
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace continuo
