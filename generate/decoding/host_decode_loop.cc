// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/host_decode_loop.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "generate/decoding/step_schedule.h"
#include "kernels/decoding/sampling.h"
#include "runtime/base/status.h"

namespace continuo {

HostDecodeLoop::HostDecodeLoop(EventRnnDecoder* decoder, ThreadPool* pool,
                               const EventEncoder& encoder,
                               absl::Span<const EventRequest> requests,
                               const SearchOptions& options,
                               const UniformSource& uniforms,
                               const GenerateHooks& hooks)
    : decoder_(decoder),
      host_{.device = {}, .pool = pool},
      encoder_(encoder),
      requests_(requests),
      options_(options),
      uniforms_(uniforms),
      hooks_(hooks),
      batch_(pool, encoder, requests, options, hooks),
      heads_(encoder.num_heads()),
      classes_(encoder.num_classes()) {}

absl::Status HostDecodeLoop::Run(int64_t begin, int64_t end,
                                 int64_t events_before) {
  CONTINUO_RETURN_IF_ERROR(batch_.Begin(begin, end, events_before));
  CONTINUO_RETURN_IF_ERROR(decoder_->Reset(static_cast<int>(batch_.rows())));
  while (!batch_.done()) {
    CONTINUO_RETURN_IF_ERROR(Step());
    if (hooks_.progress) hooks_.progress(batch_.events());
  }
  return absl::OkStatus();
}

absl::Status HostDecodeLoop::Step() {
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<ScheduledStep> schedule,
      ScheduleSteps(batch_, encoder_, requests_, options_, /*max_steps=*/1));
  const ScheduledStep& step = schedule[0];
  CONTINUO_RETURN_IF_ERROR(FeedRows());
  CONTINUO_RETURN_IF_ERROR(SampleRows(step));
  batch_.StartSearches(step);
  batch_.Append(choice_.data(), log_p_.data(), probabilities_.data());
  source_ = step.start_source;
  if (source_.empty()) {
    source_.resize(batch_.rows());
    std::iota(source_.begin(), source_.end(), 0);
  }
  CONTINUO_RETURN_IF_ERROR(batch_.EndIterations(&source_));
  if (source_.empty() || IsIdentity(source_, decoder_->num_rows())) {
    return absl::OkStatus();
  }
  return decoder_->Reorder(source_);
}

// Encodes every row's newest event and advances the network.
absl::Status HostDecodeLoop::FeedRows() {
  inputs_.Begin();
  for (const SharedPrefix& prefix : batch_.prefixes()) {
    inputs_.AddEncoded(prefix.inputs, prefix.position);
  }
  for (const Search& search : batch_.searches()) {
    for (const Hypothesis& hypothesis : search.hypotheses)
      inputs_.AddEvents(hypothesis.events);
  }
  CONTINUO_RETURN_IF_ERROR(inputs_.Encode(encoder_, host_.pool));
  logits_.resize(inputs_.rows().rows() * classes_);
  return decoder_->Step(inputs_.rows(), absl::MakeSpan(logits_));
}

// Draws the next label of every hypothesis; scores the next event of every
// prefix.
absl::Status HostDecodeLoop::SampleRows(const ScheduledStep& step) {
  const int64_t rows = step.rows;
  const float* logits = logits_.data();
  if (step.starts()) {
    gathered_.resize(rows * classes_);
    for (int64_t row = 0; row < rows; ++row) {
      std::copy_n(logits_.begin() + step.start_source[row] * classes_, classes_,
                  gathered_.begin() + row * classes_);
    }
    logits = gathered_.data();
  }
  std::vector<double> u =
      Uniforms(step, /*steps=*/1, requests_, batch_.hypotheses_per_search(),
               heads_, uniforms_);
  std::vector<int64_t> forced = TeacherForced(step, heads_);

  choice_.resize(rows * heads_);
  log_p_.resize(rows);
  const bool trace = hooks_.trace != nullptr;
  if (trace) probabilities_.resize(rows * classes_);
  const absl::Status status = Sample(
      host_, {.logits = TensorView(logits, {rows, classes_}),
              .head_sizes = encoder_.head_sizes(),
              .sampling = options_.sampling,
              .u = TensorView(u.data(), {rows, heads_}),
              .teacher_forced = TensorView(
                  forced.empty() ? nullptr : forced.data(), {rows, heads_}),
              .choice = TensorView(choice_.data(), {rows, heads_}),
              .log_p = TensorView(log_p_.data(), {rows}),
              .probabilities = TensorView(
                  trace ? probabilities_.data() : nullptr, {rows, classes_})});
  return status.ok() ? status : SamplingError(status);
}

}  // namespace continuo
