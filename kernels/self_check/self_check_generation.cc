// SPDX-License-Identifier: Apache-2.0

// Probes of drawing and searching.

#include "kernels/decoding/beam.h"
#include "kernels/decoding/beam_rows.h"
#include "kernels/decoding/input_feedback.h"
#include "kernels/decoding/sampling.h"
#include "kernels/decoding/uniform.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

absl::Status ProbeSample(ProbeRun* run, int64_t) {
  constexpr int64_t kRows = 40;
  const int head_sizes[] = {7, 31};
  const TensorView logits = run->Random({kRows, 38}, 1, 4.0);
  std::vector<double> u;
  for (float value : ProbeValues(kRows * 2, 2, 0.5)) u.push_back(value + 0.5);
  std::vector<int64_t> teacher_forced(kRows * 2, -1);
  teacher_forced[6] = 3;
  const TensorView draws = run->Put(u, {kRows, 2});
  const TensorView known = run->Put(teacher_forced, {kRows, 2});
  for (const bool limited : {false, true}) {
    const TensorView choice = run->New<int64_t>({kRows, 2});
    const TensorView log_p = run->New<double>({kRows});
    const TensorView probabilities = run->New<double>({kRows, 38});
    CONTINUO_RETURN_IF_ERROR(
        Sample(run->stream(), {.logits = logits,
                               .head_sizes = head_sizes,
                               .sampling = {.temperature = 0.9,
                                            .top_k = limited ? 9 : 0,
                                            .top_p = limited ? 0.8 : 1.0},
                               .u = draws,
                               .teacher_forced = known,
                               .choice = choice,
                               .log_p = log_p,
                               .probabilities = probabilities}));
    for (const TensorView& output : {choice, log_p, probabilities}) {
      run->Compare(output);
    }
  }
  return absl::OkStatus();
}

absl::Status ProbeBeam(ProbeRun* run, int64_t) {
  constexpr int64_t kSearches = 3;
  constexpr int kHypotheses = 37, kKept = 5;
  std::vector<double> scores;
  for (float value : ProbeValues(kSearches * kHypotheses, 1)) {
    // Coarse, so that some are equal.
    scores.push_back(static_cast<int>(value * 8));
  }
  const TensorView kept = run->New<int32_t>({kSearches, kKept});
  const TensorView source = run->New<int32_t>({kSearches, 3 * kKept});
  CONTINUO_RETURN_IF_ERROR(BeamPrune(
      run->stream(),
      {.scores = run->Put(scores, {kSearches, kHypotheses}), .kept = kept}));
  CONTINUO_RETURN_IF_ERROR(
      BeamBranch(run->stream(),
                 {.kept = kept, .hypotheses = kHypotheses, .source = source}));
  run->Compare(kept);
  run->Compare(source);
  return absl::OkStatus();
}

// Labels of some steps: the inputs with a table and those of the key melody.
absl::Status ProbeInputFeedback(ProbeRun* run, int64_t) {
  constexpr int64_t kRows = 19;
  constexpr int kEvents = 38, kClasses = 40;
  std::vector<int32_t> index(kClasses), source(kRows);
  for (int i = 0; i < kClasses; ++i) index[i] = i % kEvents;
  for (int i = 0; i < kRows; ++i) source[i] = i * 5 % kRows;
  InputFeedbackEncoding encoding = {.head_begin = {0, kClasses},
                                    .num_events = kEvents,
                                    .default_class = 36,
                                    .num_distances = 2,
                                    .distances = {3, 5},
                                    .counter_bits = 5,
                                    .entries = 1,
                                    .min_note = 48};
  encoding.index = run->Put(index).data<int32_t>();
  encoding.value = run->Random({kClasses}, 1).data<float>();
  for (const bool key_melody : {false, true}) {
    encoding.key_melody = key_melody;
    const int64_t size = InputFeedbackStateSize(encoding);
    const int64_t entries = InputFeedbackEntries(encoding);
    TensorView state =
        run->Put(std::vector<int32_t>(kRows * size), {kRows, size});
    for (int step = 0; step < 8; ++step) {
      std::vector<int64_t> choice;
      for (float value : ProbeValues(kRows, step, kClasses / 2)) {
        choice.push_back(static_cast<int64_t>(value + kClasses / 2));
      }
      const TensorView next = run->New<int32_t>({kRows, size});
      const TensorView columns = run->New<int32_t>({kRows, entries});
      const TensorView values = run->New<float>({kRows, entries});
      CONTINUO_RETURN_IF_ERROR(InputFeedback(
          run->stream(), {.encoding = encoding,
                          .source = step == 6 ? run->Put(source) : TensorView(),
                          .choice = run->Put(choice, {kRows, 1}),
                          .state = state,
                          .next_state = next,
                          .index = columns,
                          .value = values}));
      for (const TensorView& output : {next, columns, values}) {
        run->Compare(output);
      }
      state = next;
    }
  }
  return absl::OkStatus();
}

// The rows of a batch with beams between two steps.
absl::Status ProbeBeamRows(ProbeRun* run, int64_t) {
  constexpr int64_t kPrefixes = 2, kSearches = 3, kHypotheses = 6;
  constexpr int64_t kRows = kPrefixes + kSearches * kHypotheses;
  std::vector<double> log_p, scores;
  for (float value : ProbeValues(4 * kRows, 1)) log_p.push_back(value);
  for (float value : ProbeValues(kRows, 2)) scores.push_back(value);
  const std::vector<int32_t> kept = {5, 1, 0, 2, 4, 3};
  const std::vector<int32_t> keep = {1, 2, 3, 7, 8, 13, 19};
  const TensorView sums = run->Put(scores);
  CONTINUO_RETURN_IF_ERROR(AddScores(
      run->stream(), {.log_p = run->Put(log_p, {4, kRows}), .scores = sums}));
  run->Compare(sums);
  for (const bool some : {false, true}) {
    const TensorView source =
        run->New<int32_t>({some ? static_cast<int64_t>(keep.size()) : kRows});
    CONTINUO_RETURN_IF_ERROR(BeamRows(
        run->stream(), {.prefixes = kPrefixes,
                        .hypotheses = kHypotheses,
                        .kept = run->Put(kept, {kSearches, 2}),
                        .ending = run->Put(std::vector<int32_t>{1, 0, 1}),
                        .keep = some ? run->Put(keep) : TensorView(),
                        .source = source}));
    run->Compare(source);
  }
  return absl::OkStatus();
}

absl::Status ProbeDrawUniforms(ProbeRun* run, int64_t) {
  constexpr int64_t kSteps = 3, kPrefixes = 2, kHypotheses = 5;
  const TensorView u =
      run->New<double>({kSteps, kPrefixes + 2 * kHypotheses, 3});
  CONTINUO_RETURN_IF_ERROR(DrawUniforms(
      run->stream(), {.seed = 987654321,
                      .prefixes = kPrefixes,
                      .hypotheses = kHypotheses,
                      .output = run->Put(std::vector<uint64_t>{7, 123456}),
                      .step = run->Put(std::vector<int64_t>{0, 41}),
                      .u = u}));
  run->Compare(u);
  return absl::OkStatus();
}

}  // namespace

void AddGenerationProbes(std::vector<Probe>* probes) {
  probes->insert(
      probes->end(),
      {{"Sample", ProbeAccuracy::kRounding, ProbeSample},
       {"InputFeedback", ProbeAccuracy::kEqual, ProbeInputFeedback},
       {"BeamPrune and BeamBranch", ProbeAccuracy::kEqual, ProbeBeam},
       {"AddScores and BeamRows", ProbeAccuracy::kEqual, ProbeBeamRows},
       {"DrawUniforms", ProbeAccuracy::kEqual, ProbeDrawUniforms}});
}

}  // namespace continuo
