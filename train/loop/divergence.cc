// SPDX-License-Identifier: Apache-2.0

#include "train/loop/divergence.h"

#include <algorithm>
#include <cmath>

namespace continuo {
namespace {

constexpr double kTimesUnigram = 4;
// Of labels that are nearly always the same even four times the unigram loss
// is below that of new weights.
constexpr double kTimesUniform = 1.25;
constexpr int64_t kFirstSteps = 100;
constexpr float kEnough = 20;

}  // namespace

double DivergedLoss(double unigram_nats, const std::vector<int>& head_sizes) {
  double uniform = 0;
  for (int size : head_sizes) uniform += std::log(size);
  uniform /= static_cast<double>(head_sizes.size());
  return std::max(kTimesUnigram * unigram_nats, kTimesUniform * uniform);
}

float AddEvidence(float evidence, double loss, double limit) {
  const double excess = std::clamp(loss / limit - 1, -1.0, 1.0);
  return std::clamp(evidence + static_cast<float>(excess), 0.0f, kEnough);
}

bool HasDiverged(float evidence, int64_t step) {
  return step > kFirstSteps && evidence >= kEnough;
}

}  // namespace continuo
