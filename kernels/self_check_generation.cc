// Probes of drawing and searching.

#include "kernels/beam.h"
#include "kernels/sampling.h"
#include "kernels/self_check_probe.h"
#include "runtime/status.h"

namespace continuo {
namespace {

absl::Status ProbeSample(ProbeRun* run, int64_t) {
  constexpr int64_t kRows = 40;
  const int head_sizes[] = {7, 31};
  const TensorView logits = run->Random({kRows, 38}, 1, 4.0);
  std::vector<double> u;
  for (float value : ProbeValues(kRows * 2, 2, 0.5)) u.push_back(value + 0.5);
  std::vector<int64_t> forced(kRows * 2, -1);
  forced[6] = 3;
  const TensorView draws = run->Put(u, {kRows, 2});
  const TensorView known = run->Put(forced, {kRows, 2});
  for (const bool limited : {false, true}) {
    const TensorView choice = run->New<int64_t>({kRows, 2});
    const TensorView log_p = run->New<double>({kRows});
    const TensorView probabilities = run->New<double>({kRows, 38});
    CONTINUO_RETURN_IF_ERROR(
        Sample(run->stream(), {.logits = logits,
                               .head_sizes = head_sizes,
                               .temperature = 0.9,
                               .top_k = limited ? 9 : 0,
                               .top_p = limited ? 0.8 : 1.0,
                               .u = draws,
                               .forced = known,
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
  constexpr int kEntries = 37, kKept = 5;
  std::vector<double> scores;
  for (float value : ProbeValues(kSearches * kEntries, 1)) {
    // Coarse, so that some are equal.
    scores.push_back(static_cast<int>(value * 8));
  }
  const TensorView kept = run->New<int32_t>({kSearches, kKept});
  const TensorView source = run->New<int32_t>({kSearches, 3 * kKept});
  CONTINUO_RETURN_IF_ERROR(BeamPrune(
      run->stream(),
      {.scores = run->Put(scores, {kSearches, kEntries}), .kept = kept}));
  CONTINUO_RETURN_IF_ERROR(BeamBranch(
      run->stream(), {.kept = kept, .entries = kEntries, .source = source}));
  run->Compare(kept);
  run->Compare(source);
  return absl::OkStatus();
}

}  // namespace

void AddGenerationProbes(std::vector<Probe>* probes) {
  probes->insert(
      probes->end(),
      {{"Sample", ProbeAccuracy::kRounding, ProbeSample},
       {"BeamPrune and BeamBranch", ProbeAccuracy::kEqual, ProbeBeam}});
}

}  // namespace continuo
