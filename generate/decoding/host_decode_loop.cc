#include "generate/decoding/host_decode_loop.h"

#include <algorithm>

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
  CONTINUO_RETURN_IF_ERROR(FeedRows());
  batch_.StartSearches(&source_);
  CONTINUO_RETURN_IF_ERROR(SampleRows());
  batch_.Append(choice_.data(), log_p_.data(), probabilities_.data());
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
absl::Status HostDecodeLoop::SampleRows() {
  const auto rows = static_cast<int64_t>(source_.size());
  const float* logits = logits_.data();
  if (!IsIdentity(source_, decoder_->num_rows())) {
    gathered_.resize(rows * classes_);
    for (int64_t row = 0; row < rows; ++row) {
      std::copy_n(logits_.begin() + source_[row] * classes_, classes_,
                  gathered_.begin() + row * classes_);
    }
    logits = gathered_.data();
  }

  u_.assign(rows * heads_, 0);
  forced_.assign(rows * heads_, -1);
  CONTINUO_RETURN_IF_ERROR(batch_.AdvancePrefixes(absl::MakeSpan(forced_)));
  const int64_t prefixes = batch_.num_prefixes();
  int64_t slot = prefixes * heads_;
  for (const Search& search : batch_.searches()) {
    DrawPosition position{.output = requests_[search.request].output,
                          .step = search.step};
    for (; position.hypothesis < batch_.hypotheses_per_search();
         ++position.hypothesis) {
      for (position.head = 0; position.head < heads_; ++position.head) {
        u_[slot++] = uniforms_.Draw(position);
      }
    }
  }

  choice_.resize(rows * heads_);
  log_p_.resize(rows);
  const bool trace = hooks_.trace != nullptr;
  if (trace) probabilities_.resize(rows * classes_);
  const absl::Status status = Sample(
      host_, {.logits = TensorView(logits, {rows, classes_}),
              .head_sizes = encoder_.head_sizes(),
              .temperature = options_.temperature,
              .top_k = options_.top_k,
              .top_p = options_.top_p,
              .u = TensorView(u_.data(), {rows, heads_}),
              .teacher_forced = TensorView(
                  prefixes == 0 ? nullptr : forced_.data(), {rows, heads_}),
              .choice = TensorView(choice_.data(), {rows, heads_}),
              .log_p = TensorView(log_p_.data(), {rows}),
              .probabilities = TensorView(
                  trace ? probabilities_.data() : nullptr, {rows, classes_})});
  return status.ok() ? status : SamplingError(status);
}

}  // namespace continuo
