// SPDX-License-Identifier: Apache-2.0

// The commands as a user runs them, on a CUDA device and on the CPU: what is
// trained on one is evaluated, scored and continued alike on both.

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "runtime/device/device.h"
#include "tests/testing/examples.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using testing::ScratchDir;

// What a command writes to standard output and error; empty if it fails.
std::string RunCommand(const ScratchDir& dir, const std::string& words) {
  const std::string line =
      absl::StrCat(testing::ShellQuote(CONTINUO_BIN_DIR), "/", words, " >",
                   dir.Path("output"), " 2>&1");
  const int status = std::system(line.c_str());
  const std::string output = testing::MustRead(dir.Path("output"));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << words << "\n"
                                                             << output;
  return output;
}

class CommandsGpuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
    std::vector<std::string> records;
    for (int i = 0; i < 6; ++i) {
      records.push_back(testing::PatternExample(i, 3 + i, 38));
    }
    testing::MustWriteRecords(dir_.Path("data"), records);
    run_ = absl::StrCat(" --run_dir=", dir_.Path("run"));
  }
  std::string Train(const std::string& flags) {
    return RunCommand(
        dir_, absl::StrCat("melody_rnn_train", run_,
                           " --sequence_example_file=", dir_.Path("data"),
                           " --noself_check ", flags));
  }

  ScratchDir dir_;
  std::string run_;
};

constexpr char kTraining[] =
    " --config=basic_rnn --seed=1 --num_training_steps=4 "
    "--hparams=batch_size=3,rnn_layer_sizes=[8,8] --device=cuda";

// The losses of the last line of a log.
double LastLoss(const std::string& path) {
  const std::string text = testing::MustRead(path);
  const std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipEmpty());
  return nlohmann::json::parse(lines.back(), nullptr, false)["loss"]
      .get<double>();
}

TEST_F(CommandsGpuTest, TrainEvaluateScoreAndGenerate) {
  EXPECT_TRUE(absl::StrContains(Train(kTraining), "computing on cuda:0"));
  std::vector<double> losses, likelihoods;
  std::vector<std::vector<std::string>> outputs;
  for (const std::string device : {"cuda", "cpu"}) {
    const std::string on = " --device=" + device;
    Train(absl::StrCat("--eval --eval_once", on));
    losses.push_back(LastLoss(dir_.Path("run/eval/log.jsonl")));

    const std::string scores = dir_.Path("scores_" + device);
    RunCommand(
        dir_, absl::StrCat("melody_rnn_score", run_, on, " --output=", scores,
                           " --input=", testing::ShellSource("scripts/tunes")));
    const std::string text = testing::MustRead(scores);
    for (absl::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      likelihoods.push_back(nlohmann::json::parse(line.begin(), line.end(),
                                                  nullptr,
                                                  false)["log_likelihood"]
                                .get<double>());
    }

    const std::string out = dir_.Path("out_" + device);
    RunCommand(dir_, absl::StrCat("melody_rnn_generate", run_, on,
                                  " --output_dir=", out,
                                  " --num_outputs=3 --num_steps=12 --seed=4"));
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(out)) {
      files.push_back(testing::MustRead(entry.path().string()));
    }
    std::sort(files.begin(), files.end());
    outputs.push_back(files);
  }
  EXPECT_NEAR(losses[0] / losses[1], 1, 1e-5);
  const size_t scored = likelihoods.size() / 2;
  ASSERT_GT(scored, 0u);
  for (size_t i = 0; i < scored; ++i) {
    EXPECT_NEAR(likelihoods[i] / likelihoods[scored + i], 1, 1e-5);
  }
  EXPECT_EQ(outputs[0].size(), 3u);
  EXPECT_EQ(outputs[0], outputs[1]);
}

TEST_F(CommandsGpuTest, OptionsReachTheDevice) {
  const std::string output = Train(absl::StrCat(
      kTraining, " --precision=bf16 --rnn_form=stepwise --log=DEBUG"));
  EXPECT_TRUE(absl::StrContains(output, "bf16")) << output;
  EXPECT_TRUE(absl::StrContains(output, "step")) << output;
}

}  // namespace
}  // namespace continuo
