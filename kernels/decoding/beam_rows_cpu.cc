// SPDX-License-Identifier: Apache-2.0

#include "kernels/decoding/beam_rows.h"
#include "runtime/base/log.h"

namespace continuo::cpu {

absl::Status AddScores(const Stream&, const AddScoresArgs& args) {
  const int64_t steps = args.log_p.shape[0];
  const int64_t rows = args.log_p.shape[1];
  CONTINUO_CHECK(args.scores.num_elements() == rows);
  const double* log_p = args.log_p.data<double>();
  double* scores = args.scores.data<double>();
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t r = 0; r < rows; ++r) scores[r] += log_p[t * rows + r];
  }
  return absl::OkStatus();
}

absl::Status BeamRows(const Stream&, const BeamRowsArgs& args) {
  const int64_t keep = args.kept.shape[1];
  const int64_t rows = args.prefixes + args.kept.shape[0] * args.hypotheses;
  const int64_t count = args.source.shape[0];
  CONTINUO_CHECK(count == (args.keep ? args.keep.shape[0] : rows));
  const int32_t* kept = args.kept.data<int32_t>();
  const int32_t* ending = args.ending.data<int32_t>();
  const int32_t* stay = args.keep.data<int32_t>();
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = stay != nullptr ? stay[i] : i;
    const int64_t hypothesis = row - args.prefixes;
    const int64_t search = hypothesis / args.hypotheses;
    if (hypothesis >= 0 && ending[search] != 0) {
      row = args.prefixes + search * args.hypotheses +
            kept[search * keep + hypothesis % args.hypotheses % keep];
    }
    args.source.data<int32_t>()[i] = static_cast<int32_t>(row);
  }
  return absl::OkStatus();
}

}  // namespace continuo::cpu
