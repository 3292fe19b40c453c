// SPDX-License-Identifier: Apache-2.0

#include "generate/scoring/score.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "generate/decoding/row_inputs.h"
#include "kernels/decoding/sampling.h"
#include "models/network/event_rnn_decoder.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// The most probable class of each head of one row; the first of several.
void PredictRow(absl::Span<const int> head_sizes, const float* logits,
                int32_t* predicted) {
  for (const int size : head_sizes) {
    *predicted++ =
        static_cast<int32_t>(std::max_element(logits, logits + size) - logits);
    logits += size;
  }
}

// Whether a row of logits is finite; one that is not is replaced by zeros.
bool KeepFinite(absl::Span<float> logits) {
  const auto is_finite = [](float x) { return std::isfinite(x); };
  if (std::all_of(logits.begin(), logits.end(), is_finite)) return true;
  std::fill(logits.begin(), logits.end(), 0.0f);
  return false;
}

// Scores examples order[0..], longest first, so that the rows still alive are
// always the first ones.
absl::Status ScoreWave(EventRnnDecoder* decoder, const Stream& stream,
                       const EventEncoder& encoder,
                       absl::Span<const EncodedSequence> examples,
                       absl::Span<const int64_t> order,
                       std::vector<ExampleScore>* scores) {
  const int64_t heads = encoder.num_heads();
  const int64_t classes = encoder.num_classes();
  RowInputs inputs;
  std::vector<float> logits;
  std::vector<int64_t> labels;
  std::vector<int64_t> choice;
  std::vector<double> log_p;
  int64_t alive = static_cast<int64_t>(order.size());
  CONTINUO_RETURN_IF_ERROR(decoder->Reset(static_cast<int>(alive)));
  for (int position = 0;; ++position) {
    const int64_t before = alive;
    while (alive > 0 && examples[order[alive - 1]].inputs.rows() <= position) {
      --alive;
    }
    if (alive == 0) return absl::OkStatus();
    if (alive < before) {
      std::vector<int32_t> rows(alive);
      std::iota(rows.begin(), rows.end(), 0);
      CONTINUO_RETURN_IF_ERROR(decoder->Reorder(rows));
    }
    inputs.Begin();
    labels.resize(alive * heads);
    for (int64_t row = 0; row < alive; ++row) {
      const EncodedSequence& example = examples[order[row]];
      inputs.AddEncoded(example.inputs, position);
      std::copy_n(example.labels.begin() + position * heads, heads,
                  labels.begin() + row * heads);
    }
    CONTINUO_RETURN_IF_ERROR(inputs.Encode(encoder, stream.pool));
    logits.resize(alive * classes);
    CONTINUO_RETURN_IF_ERROR(
        decoder->Step(inputs.rows(), absl::MakeSpan(logits)));
    choice.resize(alive * heads);
    log_p.resize(alive);
    for (int64_t row = 0; row < alive; ++row) {
      ExampleScore& score = (*scores)[order[row]];
      const absl::Span<float> of_row =
          absl::MakeSpan(logits).subspan(row * classes, classes);
      if (!KeepFinite(of_row) && score.overflow_row < 0) {
        score.overflow_row = position;
      }
      PredictRow(encoder.head_sizes(), of_row.data(),
                 &score.predicted[position * heads]);
    }
    CONTINUO_RETURN_IF_ERROR(
        Sample(HostStream(stream),
               {.logits = TensorView(logits.data(), {alive, classes}),
                .head_sizes = encoder.head_sizes(),
                .u = {},
                .teacher_forced = TensorView(labels.data(), {alive, heads}),
                .choice = TensorView(choice.data(), {alive, heads}),
                .log_p = TensorView(log_p.data(), {alive})}));
    for (int64_t row = 0; row < alive; ++row) {
      (*scores)[order[row]].log_likelihood += log_p[row];
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<ExampleScore>> ScoreExamples(
    const EventRnn& rnn, const EventEncoder& encoder,
    absl::Span<const EncodedSequence> examples, int max_rows) {
  const int64_t count = static_cast<int64_t>(examples.size());
  std::vector<ExampleScore> scores(count);
  if (count == 0) return scores;
  for (int64_t i = 0; i < count; ++i) {
    scores[i].predicted.resize(examples[i].labels.size());
  }
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return examples[a].inputs.rows() > examples[b].inputs.rows();
  });
  const int64_t at_once = std::min(count, std::max<int64_t>(1, max_rows));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::unique_ptr<EventRnnDecoder> decoder,
      EventRnnDecoder::Create(&rnn, static_cast<int>(at_once)));
  for (int64_t begin = 0; begin < count; begin += at_once) {
    CONTINUO_RETURN_IF_ERROR(
        ScoreWave(decoder.get(), rnn.stream(), encoder, examples,
                  absl::MakeConstSpan(order).subspan(begin, at_once), &scores));
  }
  return scores;
}

absl::StatusOr<std::vector<double>> LogLikelihoods(
    const EventRnn& rnn, const EventEncoder& encoder,
    absl::Span<const std::vector<Event>> sequences, int max_rows) {
  std::vector<EncodedSequence> examples(sequences.size());
  for (size_t i = 0; i < sequences.size(); ++i) {
    if (sequences[i].empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("sequence ", i, " has no events"));
    }
    if (sequences[i].size() == 1) continue;  // nothing to predict
    CONTINUO_RETURN_IF_ERROR(
        EncodeSequence(encoder, sequences[i], &examples[i]));
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<ExampleScore> scores,
                            ScoreExamples(rnn, encoder, examples, max_rows));
  std::vector<double> log_likelihoods;
  for (const ExampleScore& score : scores) {
    if (score.overflow_row >= 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "sequence ", log_likelihoods.size(), ": the logits of event ",
          score.overflow_row + 1, " are not finite"));
    }
    log_likelihoods.push_back(score.log_likelihood);
  }
  return log_likelihoods;
}

}  // namespace continuo
