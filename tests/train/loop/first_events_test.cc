// SPDX-License-Identifier: Apache-2.0

#include "train/loop/first_events.h"

#include <memory>
#include <string>
#include <vector>

#include "data/events/encoder_table.h"
#include "data/events/melody/melody.h"
#include "gtest/gtest.h"
#include "models/config/run_config.h"
#include "runtime/base/threads.h"
#include "tests/testing/examples.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/resolve_model.h"

namespace continuo {
namespace {

// The record of a melody for this encoder.
std::string Record(const EventEncoder& encoder,
                   const std::vector<Event>& events) {
  EncodedSequence sequence;
  CONTINUO_CHECK(EncodeSequence(encoder, events, &sequence).ok());
  std::vector<std::vector<float>> inputs;
  std::vector<std::vector<int64_t>> labels;
  const SparseRows& rows = sequence.inputs;
  for (int row = 0; row < rows.rows(); ++row) {
    inputs.emplace_back(rows.width, 0.0f);
    for (int i = rows.row_begin[row]; i < rows.row_begin[row + 1]; ++i) {
      inputs.back()[rows.index[i]] = rows.value[i];
    }
    labels.push_back({sequence.labels[row]});
  }
  return testing::MakeExample(inputs, labels).SerializeAsString();
}

TEST(FirstEventsTest, AreReadOffTheInputsOfEveryMelodyEncoding) {
  ThreadPool pool(1);
  for (const ModelConfig& config : Configs(Family::kMelody)) {
    const testing::ScratchDir dir;
    const auto encoder = MakeEventEncoder(config.encoding);
    testing::MustWriteRecords(
        dir.Path("data"),
        {Record(*encoder, {60, -2, 64, -1}),
         Record(*encoder, {kMelodyNoEvent, 60, 62}), Record(*encoder, {72, 74}),
         Record(*encoder, {60, 62, -2, 60, 64})});
    const auto dataset =
        Dataset::Open(dir.Path("data"), ExampleFormatOf(config), &pool);
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    const auto counts = CountFirstEvents(**dataset, *encoder);
    ASSERT_TRUE(counts.ok()) << counts.status();
    EXPECT_EQ(*counts, (FirstEvents{{kMelodyNoEvent, 1}, {60, 2}, {72, 1}}))
        << config.name;
  }
}

TEST(FirstEventsTest, ARunStoresThoseOfItsData) {
  const testing::ScratchDir dir;
  ASSERT_TRUE(testing::RunTraining(testing::SmallRun(dir, 2)).ok());
  const std::string train = TrainDir(dir.Path("run"));
  const auto config = ReadRunConfig(train);
  ASSERT_TRUE(config.ok()) << config.status();
  int64_t sum = 0;
  for (const auto& [event, count] : config->model.first_events) sum += count;
  EXPECT_EQ(sum, 11);  // examples
  // A run of an older release gets them when it goes on.
  RunConfig old = *config;
  old.model.first_events.clear();
  ASSERT_TRUE(WriteRunConfig(train, old).ok());
  ASSERT_TRUE(testing::RunTraining(testing::SmallRun(dir, 3)).ok());
  EXPECT_EQ(ReadRunConfig(train)->model.first_events,
            config->model.first_events);
}

}  // namespace
}  // namespace continuo
