// SPDX-License-Identifier: Apache-2.0

// Enqueues the work of a chunk.

#include <utility>

#include "generate/decoding/device_decode_loop.h"
#include "kernels/decoding/beam.h"
#include "kernels/decoding/beam_rows.h"
#include "kernels/decoding/sampling.h"
#include "kernels/decoding/uniform.h"
#include "kernels/layers/copy_rows.h"
#include "kernels/layers/elementwise.h"
#include "kernels/layers/embedding.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// A run in steady state needs a few: one for each way that chunks, buffers and
// the slots of attention windows can meet.
constexpr size_t kMaxRecordings = 64;

}  // namespace

// A chunk that comes again is recorded when it comes the second time: most of
// those that begin or end a batch never do.
absl::Status DeviceDecodeLoop::EnqueueChunk() {
  if (stream_.device.type == DeviceType::kCpu) return EnqueueSteps();
  if (recordings_.size() >= kMaxRecordings) recordings_.clear();
  const auto [entry, first] = recordings_.try_emplace(ChunkKey(), std::nullopt);
  if (first) return EnqueueSteps();
  ++recorded_chunks_;
  std::optional<Recording>& recording = entry->second;
  if (!recording.has_value()) {
    CONTINUO_ASSIGN_OR_RETURN(recording, Record());
    return recording->graph.Launch(stream_);
  }
  CONTINUO_RETURN_IF_ERROR(recording->graph.Launch(stream_));
  state_ = recording->state;
  scores_ = recording->scores;
  last_choice_ = recording->last_choice;
  decoder_->MoveTo(*recording->place, static_cast<int64_t>(steps_.size()));
  return absl::OkStatus();
}

// All that the work of a chunk depends on but the contents of arrays.
std::vector<int64_t> DeviceDecodeLoop::ChunkKey() const {
  std::vector<int64_t> key = decoder_->PlaceKey();
  const auto add_array = [&key](const TensorView& view) {
    key.push_back(reinterpret_cast<int64_t>(view.raw));
    key.push_back(view.shape.rank() > 0 ? view.shape[0] : 0);
  };
  add_array(upload_.Get<int32_t>(0, {0}));
  add_array(last_choice_);
  add_array(state_.now);
  add_array(scores_.now);
  key.push_back(boundary_source_handle_);
  key.push_back(static_cast<int64_t>(boundary_source_.size()));
  for (const EnqueuedStep& step : steps_) {
    key.insert(key.end(),
               {step.plan.prefixes, step.plan.rows, step.start_source,
                step.teacher_forced, step.ending, step.keep,
                static_cast<int64_t>(step.plan.keep.size()), step.u,
                step.draw_steps, step.draw_output, step.draw_step});
  }
  return key;
}

absl::StatusOr<DeviceDecodeLoop::Recording> DeviceDecodeLoop::Record() {
  CONTINUO_ASSIGN_OR_RETURN(
      Graph graph, Graph::Capture(stream_, [this] { return EnqueueSteps(); }));
  LogDebug("recorded ", steps_.size(), " events of ", steps_.back().plan.rows,
           " sequences");
  return Recording{.graph = std::move(graph),
                   .state = state_,
                   .scores = scores_,
                   .last_choice = last_choice_,
                   .place = decoder_->place()};
}

absl::Status DeviceDecodeLoop::EnqueueSteps() {
  for (size_t k = 0; k < steps_.size(); ++k) {
    CONTINUO_RETURN_IF_ERROR(EnqueueStep(k));
  }
  return absl::OkStatus();
}

absl::Status DeviceDecodeLoop::EnqueueStep(size_t k) {
  const EnqueuedStep& step = steps_[k];
  if (k == 0) {
    scored_ = 0;
    feed_source_ = TensorView();
    if (boundary_source_handle_ >= 0) {
      feed_source_ =
          upload_.Get<int32_t>(boundary_source_handle_,
                               {static_cast<int64_t>(boundary_source_.size())});
      CONTINUO_RETURN_IF_ERROR(decoder_->ReorderOnDevice(feed_source_));
    }
  }
  const int64_t rows = decoder_->num_rows();
  CONTINUO_RETURN_IF_ERROR(FeedLabels(rows));
  const int64_t entries = rows * InputFeedbackEntries(encoding_);
  CONTINUO_RETURN_IF_ERROR(
      decoder_->StepOnDevice({.row_begin = Rows(row_begin_, rows + 1),
                              .index = Rows(index_, entries),
                              .value = Rows(value_, entries)}));
  TensorView logits = decoder_->device_logits();
  if (step.plan.starts()) {
    CONTINUO_RETURN_IF_ERROR(AddPendingScores(k));
    CONTINUO_RETURN_IF_ERROR(StartSearches(step));
    logits = Rows(logits_, step.plan.rows);
  }
  CONTINUO_RETURN_IF_ERROR(SampleLabels(step, logits));
  last_choice_ = TensorView(Choice(results_, step), {step.plan.rows, heads_});
  feed_source_ = TensorView();
  // What follows the last step waits for what the host finds out.
  const bool last = k + 1 == steps_.size();
  if (last || !step.plan.reorders()) return absl::OkStatus();
  return EndIterations(k);
}

// Enters the newest labels and makes the inputs that follow.
absl::Status DeviceDecodeLoop::FeedLabels(int64_t rows) {
  const int64_t width = InputFeedbackEntries(encoding_);
  const TensorView next = Rows(state_.next, rows);
  CONTINUO_RETURN_IF_ERROR(
      InputFeedback(stream_, {.encoding = encoding_,
                              .source = feed_source_,
                              .choice = last_choice_,
                              .state = Rows(state_.now, last_choice_.shape[0]),
                              .next_state = next,
                              .index = Rows(index_, rows * width),
                              .value = Rows(value_, rows * width)}));
  state_.Swap();
  return absl::OkStatus();
}

// Rows of ended prefixes become the hypotheses of their searches.
absl::Status DeviceDecodeLoop::StartSearches(const EnqueuedStep& step) {
  const int64_t before = decoder_->num_rows();
  const int64_t rows = step.plan.rows;
  const TensorView source = upload_.Get<int32_t>(step.start_source, {rows});
  CONTINUO_RETURN_IF_ERROR(GatherRows(stream_, {.x = decoder_->device_logits(),
                                                .rows = source,
                                                .out = Rows(logits_, rows)}));
  CONTINUO_RETURN_IF_ERROR(
      GatherRows(stream_, {.x = AsFloats(Rows(state_.now, before)),
                           .rows = source,
                           .out = AsFloats(Rows(state_.next, rows))}));
  state_.Swap();
  CONTINUO_RETURN_IF_ERROR(ReorderScores(source));
  return decoder_->ReorderOnDevice(source);
}

absl::Status DeviceDecodeLoop::SampleLabels(const EnqueuedStep& step,
                                            const TensorView& logits) {
  const int64_t rows = step.plan.rows;
  double* const u = u_.data<double>() + step.first_row * heads_;
  if (step.u >= 0) {
    const Shape shape{step.draw_steps * rows * heads_, 1};
    CONTINUO_RETURN_IF_ERROR(
        Copy(stream_, {.from = AsFloats(upload_.Get<double>(step.u, shape)),
                       .to = AsFloats(TensorView(u, shape))}));
  } else if (step.draw_steps > 0) {
    const auto searches = static_cast<int64_t>(step.plan.requests.size());
    CONTINUO_RETURN_IF_ERROR(DrawUniforms(
        stream_, {.seed = *uniforms_.seed(),
                  .prefixes = step.plan.prefixes,
                  .hypotheses = hypotheses_,
                  .output = upload_.Get<uint64_t>(step.draw_output, {searches}),
                  .step = upload_.Get<int64_t>(step.draw_step, {searches}),
                  .u = TensorView(u, {step.draw_steps, rows, heads_})}));
  }
  SampleArgs args{.logits = logits,
                  .head_sizes = encoder_.head_sizes(),
                  .sampling = options_.sampling,
                  .u = TensorView(u, {rows, heads_}),
                  .choice = TensorView(Choice(results_, step), {rows, heads_}),
                  .log_p = TensorView(LogP(results_, step), {rows}),
                  .bad_row = BadRow(results_)};
  if (step.teacher_forced >= 0) {
    args.teacher_forced =
        upload_.Get<int64_t>(step.teacher_forced, {rows, heads_});
  }
  if (probabilities_) {
    args.probabilities =
        TensorView(probabilities_.data<double>() + step.first_row * classes_,
                   {rows, classes_});
  }
  const absl::Status status = Sample(stream_, args);
  return status.ok() ? status : SamplingError(status);
}

// Prunes and branches where iterations end, and drops what is finished.
absl::Status DeviceDecodeLoop::EndIterations(size_t k) {
  const EnqueuedStep& step = steps_[k];
  const auto left = static_cast<int64_t>(
      step.plan.keep.empty() ? step.plan.rows : step.plan.keep.size());
  TensorView keep;
  if (step.keep >= 0) keep = upload_.Get<int32_t>(step.keep, {left});
  CONTINUO_RETURN_IF_ERROR(AddPendingScores(k + 1));
  feed_source_ = keep;
  if (step.ending >= 0) {
    const auto searches = static_cast<int64_t>(step.plan.requests.size());
    const TensorView kept(kept_.data<int32_t>(),
                          {searches, options_.beam_size});
    CONTINUO_RETURN_IF_ERROR(BeamPrune(
        stream_,
        {.scores = TensorView(scores_.now.data<double>() + step.plan.prefixes,
                              {searches, hypotheses_}),
         .kept = kept}));
    feed_source_ = Rows(source_, left);
    CONTINUO_RETURN_IF_ERROR(BeamRows(
        stream_, {.prefixes = step.plan.prefixes,
                  .hypotheses = hypotheses_,
                  .kept = kept,
                  .ending = upload_.Get<int32_t>(step.ending, {searches}),
                  .keep = keep,
                  .source = feed_source_}));
  }
  CONTINUO_RETURN_IF_ERROR(ReorderScores(feed_source_));
  return decoder_->ReorderOnDevice(feed_source_);
}

// Beams are compared by sums that lag behind: rows keep their places between
// two reorderings, so the log-probabilities since then are added at once.
absl::Status DeviceDecodeLoop::AddPendingScores(size_t end) {
  const size_t begin = std::exchange(scored_, end);
  if (hypotheses_ == 1 || begin == end) return absl::OkStatus();
  const EnqueuedStep& first = steps_[begin];
  return AddScores(stream_,
                   {.log_p = TensorView(
                        LogP(results_, first),
                        {static_cast<int64_t>(end - begin), first.plan.rows}),
                    .scores = Rows(scores_.now, first.plan.rows)});
}

absl::Status DeviceDecodeLoop::ReorderScores(const TensorView& source) {
  if (hypotheses_ == 1) return absl::OkStatus();
  CONTINUO_RETURN_IF_ERROR(GatherRows(
      stream_, {.x = AsFloats(scores_.now),
                .rows = source,
                .out = AsFloats(Rows(scores_.next, source.shape[0]))}));
  scores_.Swap();
  return absl::OkStatus();
}

}  // namespace continuo
