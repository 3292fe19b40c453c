// SPDX-License-Identifier: Apache-2.0

#include "generate/scoring/score_metrics.h"

#include <cmath>

#include "data/events/encoder_table.h"
#include "data/events/performance/note_tuple.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

EncodedSequence WithLabels(std::vector<int64_t> labels, int heads) {
  EncodedSequence example;
  for (size_t i = 0; i < labels.size() / heads; ++i) example.inputs.EndRow();
  example.labels = std::move(labels);
  return example;
}

TEST(ScoreMetricsTest, CountsByKindAndClass) {
  const auto encoder = MakeEventEncoder({.encoding = Encoding::kOneHotMelody});
  const int64_t none = encoder->default_label()[0];
  ScoreMetrics metrics;
  // Four labels, of which the first, third and fourth are predicted.
  metrics.Add(*encoder, WithLabels({none, none, 40, 41}, 1),
              {.log_likelihood = -4 * std::log(2.0),
               .predicted = {static_cast<int32_t>(none), 7, 40, 41}});
  EXPECT_EQ(metrics.sequences, 1);
  EXPECT_EQ(metrics.predicted_events, 4);
  const auto json = MetricsJson(metrics, /*classes=*/true);
  EXPECT_NEAR(json["bits_per_event"].get<double>(), 1, 1e-12);
  EXPECT_NEAR(json["perplexity"].get<double>(), 2, 1e-12);
  EXPECT_EQ(json["accuracy"], 0.75);
  EXPECT_EQ(json["event_accuracy"], 1.0);
  EXPECT_EQ(json["no_event_accuracy"], 0.5);
  EXPECT_NEAR(json["per_class_accuracy"].get<double>(), 2.5 / 3, 1e-12);
  ASSERT_EQ(json["classes"].size(), 3);
  EXPECT_EQ(json["classes"][0]["class"], none);
  EXPECT_EQ(json["classes"][0]["labels"], 2);
  EXPECT_EQ(json["classes"][0]["correct"], 1);

  ScoreMetrics sum;
  sum.Add(metrics);
  sum.Add(metrics);
  EXPECT_EQ(sum.sequences, 2);
  EXPECT_EQ(sum.classes[40].correct, 2);
  EXPECT_NEAR(sum.log_likelihood, 2 * metrics.log_likelihood, 1e-12);
  EXPECT_EQ(MetricsJson(sum, false)["accuracy"], 0.75);
}

TEST(ScoreMetricsTest, NothingCountedIsNull) {
  const auto json = MetricsJson(ScoreMetrics(), /*classes=*/false);
  EXPECT_TRUE(json["bits_per_event"].is_null());
  EXPECT_TRUE(json["accuracy"].is_null());
  EXPECT_TRUE(json["event_accuracy"].is_null());
  EXPECT_FALSE(json.contains("classes"));
}

TEST(ScoreMetricsTest, HeadsHaveClassesOfTheirOwn) {
  const auto encoder = MakeEventEncoder(
      {.encoding = Encoding::kNoteTuples, .num_velocity_bins = 32});
  const int heads = encoder->num_heads();
  ASSERT_EQ(heads, 6);
  ScoreMetrics metrics;
  metrics.Add(*encoder, WithLabels({1, 1, 1, 1, 1, 1}, heads),
              {.log_likelihood = -1, .predicted = {1, 0, 0, 0, 0, 1}});
  EXPECT_EQ(metrics.predicted_events, 1);
  EXPECT_EQ(metrics.all.labels, 6);
  EXPECT_EQ(metrics.all.correct, 2);
  EXPECT_EQ(metrics.classes.size(), 6);
  const int64_t second = encoder->head_sizes()[0] + 1;
  EXPECT_EQ(metrics.classes[1].correct, 1);
  EXPECT_EQ(metrics.classes[second].labels, 1);
  EXPECT_EQ(metrics.classes[second].correct, 0);
}

}  // namespace
}  // namespace continuo
