// Whole trainings on a CUDA device: the losses are those of the CPU in fp32,
// and fall at every precision.

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "data/records/sequence_example_writer.h"
#include "gtest/gtest.h"
#include "models/config.h"
#include "tests/train/small_run.h"

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

// The losses of the steps of a training.
std::vector<double> Losses(const Run& run, DeviceType device,
                           const ComputeOptions& options) {
  const ScratchDir dir;
  WriteData(run, dir.Path("data"));
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
  ThreadPool pool(2);
  const auto owned = OwnedStream::Open({.type = device}, options, &pool);
  const StopFlag never{false};
  const auto result = Train(train, owned->stream(), never);
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

}  // namespace
}  // namespace continuo
