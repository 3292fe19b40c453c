// What the host knows of a chunk, planned and sent to the device.

#include <utility>

#include "generate/decoding/device_views.h"
#include "generate/decoding/device_wave.h"
#include "kernels/layers/rows.h"
#include "runtime/base/status.h"

namespace continuo {

absl::Status DeviceWave::PlanChunk() {
  CONTINUO_ASSIGN_OR_RETURN(
      std::vector<PlannedStep> plan,
      PlanSteps(book_, encoder_, requests_, options_, chunk_steps_));
  steps_.clear();
  int64_t rows = 0;
  for (PlannedStep& step : plan) {
    QueuedStep& queued = steps_.emplace_back();
    queued.plan = std::move(step);
    queued.first_row = rows;
    rows += queued.plan.rows;
  }
  return absl::OkStatus();
}

// Puts all that the host knows of the chunk into one copy.
absl::Status DeviceWave::StageChunk() {
  staging_.Begin();
  if (!last_choice_) {
    CONTINUO_ASSIGN_OR_RETURN(first_labels_handle_, StageFirstLabels());
  }
  boundary_source_handle_ =
      boundary_source_.empty() ? -1 : staging_.Add(boundary_source_);
  if (entries_ > 1) scores_handle_ = staging_.Add(Scores());
  const auto add = [this](const std::vector<int32_t>& values) {
    return values.empty() ? -1 : staging_.Add(values);
  };
  size_t first = 0;
  for (size_t k = 0; k < steps_.size(); ++k) {
    QueuedStep& step = steps_[k];
    step.start_source = add(step.plan.start_source);
    step.ending = add(step.plan.ending);
    step.keep = add(step.plan.keep);
    if (step.plan.prefixes > 0) {
      std::vector<int64_t> forced = step.plan.prefix_labels;
      forced.resize(step.plan.rows * heads_, -1);
      step.forced = staging_.Add(forced);
    }
    const bool last = k + 1 == steps_.size();
    if (last || !step.plan.keep.empty() || steps_[k + 1].plan.starts()) {
      StageDraws(&steps_[first], static_cast<int64_t>(k + 1 - first));
      first = k + 1;
    }
  }
  CONTINUO_RETURN_IF_ERROR(staging_.Send());
  if (!last_choice_) {
    last_choice_ =
        staging_.Get<int64_t>(first_labels_handle_, {book_.rows(), heads_});
  }
  if (entries_ == 1) return absl::OkStatus();
  const int64_t rows = book_.rows();
  // Always into the same buffer: chunks should be alike.
  if (scores_.now.raw > scores_.next.raw) std::swap(scores_.now, scores_.next);
  return Copy(stream_,
              {.from = AsFloats(staging_.Get<double>(scores_handle_, {rows})),
               .to = AsFloats(First(scores_.now, rows))});
}

// The first event of each primer is the first label to feed.
absl::StatusOr<int64_t> DeviceWave::StageFirstLabels() {
  const int64_t rows = book_.rows();
  std::vector<int64_t> labels(rows * heads_);
  for (int64_t i = 0; i < rows; ++i) {
    CONTINUO_RETURN_IF_ERROR(
        Annotate(encoder_.EncodeLabel(
                     *book_.prefixes()[i].primer, 0,
                     absl::MakeSpan(labels).subspan(i * heads_, heads_)),
                 "primer"));
  }
  return staging_.Add(labels);
}

// What `steps` steps with the same rows draw with: where it comes from a seed,
// the device makes it.
void DeviceWave::StageDraws(QueuedStep* first, int64_t steps) {
  const PlannedStep& plan = first->plan;
  first->draw_steps = steps;
  if (uniforms_.seed().has_value()) {
    std::vector<uint64_t> output;
    for (int64_t request : plan.requests) {
      output.push_back(requests_[request].output);
    }
    first->draw_output = staging_.Add(output);
    first->draw_step = staging_.Add(plan.search_steps);
    return;
  }
  std::vector<double> u(steps * plan.rows * heads_, 0.0);
  int64_t slot = 0;
  for (int64_t step = 0; step < steps; ++step) {
    slot += plan.prefixes * heads_;
    for (size_t i = 0; i < plan.requests.size(); ++i) {
      DrawPosition position{.output = requests_[plan.requests[i]].output,
                            .step = plan.search_steps[i] + step};
      for (; position.entry < entries_; ++position.entry) {
        for (position.head = 0; position.head < heads_; ++position.head) {
          u[slot++] = uniforms_.Draw(position);
        }
      }
    }
  }
  first->u = staging_.Add(u);
}

std::vector<double> DeviceWave::Scores() const {
  std::vector<double> scores;
  for (const Prefix& prefix : book_.prefixes()) scores.push_back(prefix.score);
  for (const Search& search : book_.searches()) {
    for (const SearchEntry& entry : search.entries) {
      scores.push_back(entry.score);
    }
  }
  return scores;
}

}  // namespace continuo
