// SPDX-License-Identifier: Apache-2.0

// Schedules a chunk and uploads its inputs.

#include <utility>

#include "generate/decoding/device_decode_loop.h"
#include "kernels/layers/elementwise.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {

absl::Status DeviceDecodeLoop::ScheduleChunk() {
  CONTINUO_ASSIGN_OR_RETURN(
      std::vector<ScheduledStep> plan,
      ScheduleSteps(batch_, encoder_, requests_, options_, chunk_steps_));
  steps_.clear();
  int64_t rows = 0;
  for (ScheduledStep& step : plan) {
    EnqueuedStep& queued = steps_.emplace_back();
    queued.plan = std::move(step);
    queued.first_row = rows;
    rows += queued.plan.rows;
  }
  return absl::OkStatus();
}

// One copy for all that the host knows of the chunk.
absl::Status DeviceDecodeLoop::UploadChunk() {
  upload_.Begin();
  if (!last_choice_) {
    CONTINUO_ASSIGN_OR_RETURN(first_labels_handle_, AddFirstLabels());
  }
  boundary_source_handle_ =
      boundary_source_.empty() ? -1 : upload_.Add(boundary_source_);
  if (hypotheses_ > 1) scores_handle_ = upload_.Add(Scores());
  const auto add = [this](const std::vector<int32_t>& values) {
    return values.empty() ? -1 : upload_.Add(values);
  };
  size_t first = 0;
  for (size_t k = 0; k < steps_.size(); ++k) {
    EnqueuedStep& step = steps_[k];
    step.start_source = add(step.plan.start_source);
    step.ending = add(step.plan.ending);
    step.keep = add(step.plan.keep);
    if (step.plan.prefixes > 0) {
      step.teacher_forced = upload_.Add(TeacherForced(step.plan, heads_));
    }
    const bool last = k + 1 == steps_.size();
    if (last || !step.plan.keep.empty() || steps_[k + 1].plan.starts()) {
      AddUniforms(&steps_[first], static_cast<int64_t>(k + 1 - first));
      first = k + 1;
    }
  }
  CONTINUO_RETURN_IF_ERROR(upload_.Upload());
  if (!last_choice_) {
    last_choice_ =
        upload_.Get<int64_t>(first_labels_handle_, {batch_.rows(), heads_});
  }
  if (hypotheses_ == 1) return absl::OkStatus();
  const int64_t rows = batch_.rows();
  // Always into the same buffer: chunks should be alike.
  if (scores_.now.raw > scores_.next.raw) scores_.Swap();
  return Copy(stream_,
              {.from = AsFloats(upload_.Get<double>(scores_handle_, {rows})),
               .to = AsFloats(Rows(scores_.now, rows))});
}

// The first event of each primer is the first label to feed.
absl::StatusOr<int64_t> DeviceDecodeLoop::AddFirstLabels() {
  const int64_t rows = batch_.rows();
  std::vector<int64_t> labels(rows * heads_);
  for (int64_t i = 0; i < rows; ++i) {
    CONTINUO_RETURN_IF_ERROR(
        Annotate(encoder_.EncodeLabel(
                     *batch_.prefixes()[i].primer, 0,
                     absl::MakeSpan(labels).subspan(i * heads_, heads_)),
                 "primer"));
  }
  return upload_.Add(labels);
}

// What `steps` steps with the same rows draw with: where it comes from a seed,
// the device makes it.
void DeviceDecodeLoop::AddUniforms(EnqueuedStep* first, int64_t steps) {
  const ScheduledStep& plan = first->plan;
  first->draw_steps = steps;
  if (uniforms_.seed().has_value()) {
    std::vector<uint64_t> output;
    for (int64_t request : plan.requests) {
      output.push_back(requests_[request].output);
    }
    first->draw_output = upload_.Add(output);
    first->draw_step = upload_.Add(plan.search_steps);
    return;
  }
  first->u = upload_.Add(
      Uniforms(plan, steps, requests_, hypotheses_, heads_, uniforms_));
}

std::vector<double> DeviceDecodeLoop::Scores() const {
  std::vector<double> scores;
  for (const SharedPrefix& prefix : batch_.prefixes())
    scores.push_back(prefix.score);
  for (const Search& search : batch_.searches()) {
    for (const Hypothesis& hypothesis : search.hypotheses) {
      scores.push_back(hypothesis.score);
    }
  }
  return scores;
}

}  // namespace continuo
