// SPDX-License-Identifier: Apache-2.0

// CPU form of kernels/decoding/beam.h. A search has a few dozen hypotheses at
// most, so the searches run one after the other.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/decoding/beam.h"
#include "runtime/base/log.h"

namespace continuo::cpu {

absl::Status BeamPrune(const Stream&, const BeamPruneArgs& args) {
  const int64_t searches = args.scores.shape[0];
  const int64_t hypotheses = args.scores.shape[1];
  const int64_t keep = args.kept.shape[1];
  CONTINUO_CHECK(args.kept.shape[0] == searches && keep <= hypotheses);
  std::vector<int32_t> order(hypotheses);
  for (int64_t r = 0; r < searches; ++r) {
    const double* scores = args.scores.data<double>() + r * hypotheses;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + keep, order.end(),
                      [scores](int32_t a, int32_t b) {
                        if (scores[a] != scores[b]) {
                          return scores[a] > scores[b];
                        }
                        return a < b;
                      });
    std::copy_n(order.begin(), keep, args.kept.data<int32_t>() + r * keep);
  }
  return absl::OkStatus();
}

absl::Status BeamBranch(const Stream&, const BeamBranchArgs& args) {
  const int64_t searches = args.kept.shape[0];
  const int64_t keep = args.kept.shape[1];
  const int64_t width = args.source.shape[1];
  CONTINUO_CHECK(args.source.shape[0] == searches && width % keep == 0);
  for (int64_t r = 0; r < searches; ++r) {
    const int32_t* kept = args.kept.data<int32_t>() + r * keep;
    int32_t* source = args.source.data<int32_t>() + r * width;
    for (int64_t i = 0; i < width; ++i) {
      source[i] = static_cast<int32_t>(r * args.hypotheses) + kept[i % keep];
    }
  }
  return absl::OkStatus();
}

}  // namespace continuo::cpu
