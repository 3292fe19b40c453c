// SPDX-License-Identifier: Apache-2.0

// Whole trainings on a CUDA device: the losses are those of the CPU in fp32,
// and fall at every precision.

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "data/records/sequence_example_writer.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/evaluator.h"

namespace continuo {
namespace {

using testing::ScratchDir;

constexpr int kSteps = 20;

struct Run {
  Family family;
  const char* config;
  const char* hparams;
};
const Run kRuns[] = {
    {Family::kMelody, "basic_rnn", "rnn_layer_sizes=[12,8]"},
    {Family::kMelody, "attention_rnn", "rnn_layer_sizes=[12,8],attn_length=5"},
    {Family::kMelody, "lookback_rnn",
     "rnn_layer_sizes=[12,8],attn_length=5,attention_around_stack=true"},
    {Family::kDrums, "drum_kit", "rnn_layer_sizes=[8,8,8],attn_length=3"},
    {Family::kPerformance, "performance", "rnn_layer_sizes=[16,16]"}};
void PrintTo(const Run& run, std::ostream* out) { *out << run.config; }

// Examples whose labels follow from their inputs.
void WriteData(const Run& run, const std::string& path) {
  const auto config = FindConfig(run.family, run.config);
  const auto encoder = MakeEventEncoder(config->encoding);
  std::vector<std::string> records;
  for (int i = 0; i < 9; ++i) {
    EncodedSequence example;
    example.inputs.width = encoder->input_size();
    for (int t = 0; t < 3 + i % 4; ++t) {
      const int place = (2 * i + t) % 5;
      example.inputs.Add(place, 1.0f);
      if (!encoder->index_inputs()) example.inputs.Add(6 + i % 3, 1.0f);
      example.inputs.EndRow();
      for (size_t head = 0; head < encoder->head_sizes().size(); ++head) {
        example.labels.push_back((place * 3 + static_cast<int>(head)) %
                                 encoder->head_sizes()[head]);
      }
    }
    records.push_back(SerializeSequenceExample(example, encoder->num_heads(),
                                               encoder->index_inputs()));
  }
  testing::MustWriteRecords(path, records);
}

TrainOptions Options(const Run& run, const ScratchDir& dir) {
  if (!FileExists(dir.Path("data"))) WriteData(run, dir.Path("data"));
  TrainOptions train;
  train.run_dir = dir.Path("run");
  train.sequence_example_file = dir.Path("data");
  train.family = run.family;
  train.model.config = run.config;
  train.model.hparams = absl::StrCat(
      "batch_size=3,dropout_keep_prob=0.9,learning_rate=0.02,", run.hparams);
  train.seed = 3;
  train.num_training_steps = kSteps;
  train.summary_frequency = 1;
  return train;
}

absl::StatusOr<TrainResult> TrainOn(DeviceType device,
                                    const ComputeOptions& options,
                                    const TrainOptions& train) {
  ThreadPool pool(2);
  const auto owned = OwnedStream::Open({.type = device}, options, &pool);
  const StopFlag never{false};
  return Train(train, owned->stream(), never);
}

// The losses of the steps of a training.
std::vector<double> Losses(const Run& run, DeviceType device,
                           const ComputeOptions& options) {
  const ScratchDir dir;
  const auto result = TrainOn(device, options, Options(run, dir));
  EXPECT_TRUE(result.ok()) << result.status();
  std::vector<double> losses;
  if (!result.ok()) return losses;
  for (const auto& line :
       testing::ReadJsonLines(dir.Path("run/train/log.jsonl"))) {
    losses.push_back(line["loss"].get<double>());
  }
  return losses;
}

class GpuTrainingTest : public ::testing::TestWithParam<Run> {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
  }
};
INSTANTIATE_TEST_SUITE_P(Configs, GpuTrainingTest, ::testing::ValuesIn(kRuns),
                         [](const auto& info) { return info.param.config; });

TEST_P(GpuTrainingTest, LossesAreThoseOfTheCpu) {
  const std::vector<double> want = Losses(GetParam(), DeviceType::kCpu, {});
  const std::vector<double> got = Losses(GetParam(), DeviceType::kCuda, {});
  ASSERT_EQ(want.size(), size_t{kSteps});
  ASSERT_EQ(got.size(), size_t{kSteps});
  for (int step = 0; step < kSteps; ++step) {
    EXPECT_NEAR(got[step] / want[step], 1, 1e-4) << step;
  }
}

TEST_P(GpuTrainingTest, LearnsAtEveryPrecision) {
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    const std::vector<double> losses =
        Losses(GetParam(), DeviceType::kCuda, {.precision = precision});
    ASSERT_EQ(losses.size(), size_t{kSteps});
    EXPECT_LT(losses.back(), 0.6 * losses.front());
  }
}

// The loss of the newest checkpoint of a run.
double EvaluationLoss(const Run& run, const ScratchDir& dir,
                      DeviceType device) {
  EvalOptions eval;
  eval.run_dir = dir.Path("run");
  eval.sequence_example_file = dir.Path("data");
  eval.family = run.family;
  eval.once = true;
  ThreadPool pool(2);
  const auto owned = OwnedStream::Open({.type = device}, {}, &pool);
  const StopFlag never{false};
  EXPECT_TRUE(FollowCheckpoints(eval, owned->stream(), never).ok());
  return testing::ReadJsonLines(dir.Path("run/eval/log.jsonl"))
      .back()["loss"]
      .get<double>();
}

// A run that is stopped goes on as if it had not been: what is recorded, and
// when, has no influence. Its checkpoints are of no device.
TEST_P(GpuTrainingTest, StoppedRunsHaveTheSameBits) {
  const ScratchDir whole, parts;
  TrainOptions options = Options(GetParam(), whole);
  options.num_training_steps = 7;
  const auto end = TrainOn(DeviceType::kCuda, {}, options);
  ASSERT_TRUE(end.ok()) << end.status();
  options = Options(GetParam(), parts);
  for (const int64_t steps : {3, 4, 7}) {
    options.num_training_steps = steps;
    ASSERT_TRUE(TrainOn(DeviceType::kCuda, {}, options).ok());
  }
  EXPECT_TRUE(testing::SameTensors(
      *ReadCheckpoint(whole.Path("run/train/model.ckpt-7")),
      *ReadCheckpoint(parts.Path("run/train/model.ckpt-7"))));
  EXPECT_NEAR(EvaluationLoss(GetParam(), whole, DeviceType::kCpu) /
                  EvaluationLoss(GetParam(), parts, DeviceType::kCuda),
              1, 1e-5);
  options.num_training_steps = 8;
  EXPECT_TRUE(TrainOn(DeviceType::kCpu, {}, options).ok());
}

TEST(GpuTrainingFailureTest, NothingThatIsNotFiniteIsSaved) {
  const auto count = CountCudaDevices();
  if (!count.ok()) GTEST_SKIP() << count.status().message();
  const ScratchDir dir;
  TrainOptions options = Options(kRuns[0], dir);
  options.model.hparams = absl::StrReplaceAll(
      options.model.hparams, {{"learning_rate=0.02", "learning_rate=1e38"}});
  options.save_steps = 1;
  const auto end = TrainOn(DeviceType::kCuda, {}, options);
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.status().message().find("not finite"), std::string::npos)
      << end.status();
  const auto latest = LatestCheckpoint(dir.Path("run/train"));
  const auto tensors = ReadCheckpoint(*latest);
  ASSERT_TRUE(tensors.ok());
  for (const auto& [name, tensor] : *tensors) {
    for (float value : tensor.floats) ASSERT_TRUE(std::isfinite(value)) << name;
  }
}

}  // namespace
}  // namespace continuo
