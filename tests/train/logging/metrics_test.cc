// SPDX-License-Identifier: Apache-2.0

#include "train/logging/metrics.h"

#include <cmath>

#include "data/events/encoder_table.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

LossSums Example() {
  LossSums sums;
  sums.cross_entropy = 12;
  sums.labels = 8;
  sums.correct = 5;
  sums.event_labels = 6;
  sums.event_correct = 3;
  sums.no_event_labels = 2;
  sums.no_event_correct = 2;
  sums.class_labels = {2, 4, 2, 0};
  sums.class_correct = {2, 1, 0, 0};
  return sums;
}

TEST(MetricsTest, FollowTheirDefinitions) {
  const Metrics m = ComputeMetrics(Example(), 24, EmptyAccuracy::kNan);
  EXPECT_DOUBLE_EQ(m.loss, 1.5);
  EXPECT_DOUBLE_EQ(m.perplexity, std::exp(1.5));
  EXPECT_DOUBLE_EQ(m.accuracy, 5.0 / 8);
  EXPECT_DOUBLE_EQ(m.event_accuracy, 0.5);
  EXPECT_DOUBLE_EQ(m.no_event_accuracy, 1);
  EXPECT_DOUBLE_EQ(m.loss_per_step, 0.5);
  EXPECT_DOUBLE_EQ(m.perplexity_per_step, std::exp(0.5));
  EXPECT_DOUBLE_EQ(m.per_class_accuracy, (1 + 0.25 + 0 + 0) / 4);
}

TEST(MetricsTest, AccuracyOverNothing) {
  LossSums sums = Example();
  sums.no_event_labels = 0;
  sums.no_event_correct = 0;
  EXPECT_TRUE(std::isnan(
      ComputeMetrics(sums, 24, EmptyAccuracy::kNan).no_event_accuracy));
  EXPECT_EQ(ComputeMetrics(sums, 24, EmptyAccuracy::kZero).no_event_accuracy,
            0);
}

TEST(MetricsTest, BitsCountAllHeadsOfAnEvent) {
  EXPECT_DOUBLE_EQ(BitsPerEvent(std::log(2.0), 1), 1);
  EXPECT_DOUBLE_EQ(BitsPerEvent(std::log(2.0), 6), 6);
}

TEST(MetricsTest, MelodiesHaveATimeStepPerLabel) {
  EncodedSequence a;
  a.inputs.width = 38;
  for (int i = 0; i < 3; ++i) a.inputs.EndRow();
  a.labels = {1, 2, 3};
  EncodedSequence b;
  b.inputs.width = 38;
  for (int i = 0; i < 5; ++i) b.inputs.EndRow();
  b.labels = {1, 2, 3, 4, 5};
  const auto encoder = MakeEventEncoder(
      {.encoding = Encoding::kOneHotMelody, .min_note = 48, .max_note = 84});
  EXPECT_EQ(BatchTimeSteps(PackBatch({&a, &b}, 1), *encoder), 8);
}

}  // namespace
}  // namespace continuo
