#include "generate/score.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "generate/row_inputs.h"
#include "kernels/sampling.h"
#include "models/event_rnn_decoder.h"
#include "runtime/status.h"

namespace continuo {
namespace {

// Scores sequences order[0..], longest first, so that the rows still alive are
// always the first ones.
absl::Status ScoreWave(EventRnnDecoder* decoder, const Stream& stream,
                       const EventEncoder& encoder,
                       absl::Span<const std::vector<Event>> sequences,
                       absl::Span<const int64_t> order,
                       std::vector<double>* scores) {
  const int64_t heads = encoder.num_heads();
  const int64_t classes = encoder.num_classes();
  RowInputs inputs;
  std::vector<float> logits;
  std::vector<int64_t> labels;
  std::vector<int64_t> choice;
  std::vector<double> log_p;
  int64_t alive = static_cast<int64_t>(order.size());
  CONTINUO_RETURN_IF_ERROR(decoder->Reset(static_cast<int>(alive)));
  for (int64_t position = 0;; ++position) {
    const int64_t before = alive;
    while (alive > 0 &&
           static_cast<int64_t>(sequences[order[alive - 1]].size()) <=
               position + 1) {
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
      const std::vector<Event>& events = sequences[order[row]];
      inputs.AddEvents(absl::MakeConstSpan(events).first(position + 1));
      CONTINUO_RETURN_IF_ERROR(
          encoder.EncodeLabel(events, static_cast<int>(position) + 1,
                              absl::MakeSpan(&labels[row * heads], heads)));
    }
    CONTINUO_RETURN_IF_ERROR(inputs.Encode(encoder, stream.pool));
    logits.resize(alive * classes);
    CONTINUO_RETURN_IF_ERROR(
        decoder->Step(inputs.rows(), absl::MakeSpan(logits)));
    choice.resize(alive * heads);
    log_p.resize(alive);
    CONTINUO_RETURN_IF_ERROR(
        Sample(stream, {.logits = TensorView(logits.data(), {alive, classes}),
                        .head_sizes = encoder.head_sizes(),
                        .u = {},
                        .forced = TensorView(labels.data(), {alive, heads}),
                        .choice = TensorView(choice.data(), {alive, heads}),
                        .log_p = TensorView(log_p.data(), {alive})}));
    for (int64_t row = 0; row < alive; ++row) {
      (*scores)[order[row]] += log_p[row];
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<double>> LogLikelihoods(
    const EventRnn& rnn, const EventEncoder& encoder,
    absl::Span<const std::vector<Event>> sequences, int max_rows) {
  const int64_t count = static_cast<int64_t>(sequences.size());
  std::vector<double> scores(count, 0.0);
  if (count == 0) return scores;
  for (int64_t i = 0; i < count; ++i) {
    if (!sequences[i].empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("sequence ", i, " has no events"));
  }
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return sequences[a].size() > sequences[b].size();
  });
  const int64_t at_once = std::min(count, std::max<int64_t>(1, max_rows));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::unique_ptr<EventRnnDecoder> decoder,
      EventRnnDecoder::Create(&rnn, static_cast<int>(at_once)));
  for (int64_t begin = 0; begin < count; begin += at_once) {
    CONTINUO_RETURN_IF_ERROR(
        ScoreWave(decoder.get(), rnn.stream(), encoder, sequences,
                  absl::MakeConstSpan(order).subspan(begin, at_once), &scores));
  }
  return scores;
}

}  // namespace continuo
