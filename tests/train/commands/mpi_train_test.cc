// SPDX-License-Identifier: Apache-2.0

// melody_rnn_train and its kin started by mpirun: the bytes of one process, and
// an end in time whatever happens to one of them. CONTINUO_RANK_KILLS sets how
// often one is killed or stopped.

#include <signal.h>

#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/testing/examples.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/commands/rank_processes.h"
#include "tests/train/commands/train_process.h"
#include "tests/train/loop/ranks.h"

namespace continuo {
namespace {

using testing::CheckpointBytes;
using testing::MustRead;
using testing::Process;
using testing::Result;
using testing::ScratchDir;

struct Case {
  std::string family;
  std::string config;
  std::string hparams;
  int width;
  int classes;
};

// Examples of `classes` labels after inputs of `width`, of other lengths.
void WriteData(const std::string& path, const Case& config) {
  std::vector<std::string> records;
  for (int i = 0; i < 13; ++i) {
    std::vector<int> inputs;
    std::vector<int64_t> labels;
    for (int t = 0; t < 4 + i * 7 % 23; ++t) {
      inputs.push_back((i * 31 + t * 5) % config.width);
      labels.push_back((i * 17 + t * 3) % config.classes);
    }
    records.push_back(testing::OneHotExample(inputs, labels, config.width));
  }
  testing::MustWriteRecords(path, records);
}

std::vector<std::string> Flags(const ScratchDir& dir, const Case& config,
                               const std::vector<std::string>& more) {
  const std::string data = dir.Path("data");
  if (!FileExists(data)) WriteData(data, config);
  std::vector<std::string> flags = {
      absl::StrCat("--config=", config.config),
      "--seed=5",
      "--threads=1",
      "--log=INFO",
      "--micro_batches=4",
      absl::StrCat("--hparams=", config.hparams),
      absl::StrCat("--run_dir=", dir.Path("run")),
      absl::StrCat("--sequence_example_file=", data)};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

const Case kSmall = {"melody", "basic_rnn", "batch_size=6,rnn_layer_sizes=[8]",
                     38, 38};

std::string LastCheckpoint(const ScratchDir& dir, int64_t step) {
  return CheckpointBytes(dir.Path("run/train"), step);
}

void ExpectSameBytes(const Case& config, int steps,
                     const std::vector<int>& counts) {
  std::string want;
  for (const int ranks : counts) {
    const ScratchDir dir;
    const Result result = testing::RunRanks(
        dir, ranks, absl::StrCat(config.family, "_rnn_train"),
        Flags(dir, config, {absl::StrCat("--num_training_steps=", steps)}));
    ASSERT_EQ(result.code, 0) << result.output;
    const std::string bytes = LastCheckpoint(dir, steps);
    if (want.empty()) want = bytes;
    EXPECT_TRUE(bytes == want) << config.config << " by " << ranks;
    for (int rank = 1; rank < ranks; ++rank) {
      EXPECT_TRUE(
          FileExists(dir.Path(absl::StrCat("run/train/rank-", rank, ".log"))));
    }
  }
}

TEST(MpiTrainTest, TwoProcessesTrainAsOne) {
  ExpectSameBytes(kSmall, 12, {1, 2});
}

// Goes on with another number of processes.
TEST(MpiTrainTest, ARunGoesOnWithOneProcess) {
  const ScratchDir whole, parts;
  ASSERT_EQ(testing::RunRanks(whole, 1, "melody_rnn_train",
                              Flags(whole, kSmall, {"--num_training_steps=9"}))
                .code,
            0);
  for (const auto& [ranks, steps] :
       std::vector<std::pair<int, int>>{{2, 5}, {1, 9}}) {
    const Result result = testing::RunRanks(
        parts, ranks, "melody_rnn_train",
        Flags(parts, kSmall, {absl::StrCat("--num_training_steps=", steps)}));
    ASSERT_EQ(result.code, 0) << result.output;
  }
  EXPECT_TRUE(LastCheckpoint(parts, 9) == LastCheckpoint(whole, 9));
}

TEST(MpiTrainTest, SigtermOfOneRankSavesOnceAndEndsAll) {
  const ScratchDir dir;
  const Process process =
      testing::StartRanks(dir, 2, "melody_rnn_train",
                          Flags(dir, kSmall, {"--save_checkpoint_secs=1000"}));
  ASSERT_TRUE(testing::WaitForStep(dir, 0));
  const std::vector<pid_t> ranks = testing::RankPids(process);
  ASSERT_EQ(ranks.size(), 2);
  kill(ranks[1], SIGTERM);
  EXPECT_EQ(process.Wait(), 0) << MustRead(process.output);
  const std::string output = MustRead(process.output);
  EXPECT_TRUE(absl::StrContains(output, "stopped at step")) << output;
  // That of step 0 and the last.
  EXPECT_LE(testing::ListFiles(dir.Path("run/train"), ".index").size(), 2);
}

TEST(MpiTrainTest, AnEvaluationIsTheWorkOfOneProcess) {
  const ScratchDir dir;
  const Result result =
      testing::RunRanks(dir, 2, "melody_rnn_train",
                        Flags(dir, kSmall, {"--eval", "--eval_once"}));
  EXPECT_NE(result.code, 0);
  EXPECT_TRUE(absl::StrContains(result.output, "--world_size=1"))
      << result.output;
}

// The step of the newest checkpoint; -1 = none.
int64_t LastStep(const ScratchDir& dir) {
  const auto tensors = ReadCheckpoint(dir.Path("run/train"));
  return tensors.ok() ? tensors->at("global_step").ints[0] : -1;
}

// A rank that is gone, or that says nothing any more.
TEST(MpiTrainTest, ARankThatIsLostEndsAllAndTheRunGoesOn) {
  const char* given = std::getenv("CONTINUO_RANK_KILLS");
  int kills = 1;
  if (given != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(given, &kills)) << given;
  }
  const auto flags = [](const ScratchDir& dir, int64_t steps) {
    return Flags(dir, kSmall,
                 {absl::StrCat("--num_training_steps=", steps),
                  "--save_checkpoint_steps=5", "--num_checkpoints=2",
                  "--collective_timeout=4"});
  };
  const ScratchDir dir;
  std::mt19937 random(20240602);
  for (int i = 0; i < kills; ++i) {
    for (const int signal : {SIGKILL, SIGSTOP}) {
      const int64_t before = LastStep(dir);
      const Process process = testing::StartRanks(dir, 2, "melody_rnn_train",
                                                  flags(dir, 1'000'000));
      ASSERT_TRUE(testing::WaitForStep(dir, before + 1));
      absl::SleepFor(absl::Milliseconds(random() % 300));
      const std::vector<pid_t> ranks = testing::RankPids(process);
      ASSERT_EQ(ranks.size(), 2);
      kill(ranks[random() % 2], signal);
      const absl::Time begin = absl::Now();
      EXPECT_NE(process.Wait(), 0) << MustRead(process.output);
      EXPECT_LT(absl::Now() - begin, absl::Seconds(30));
      if (signal == SIGSTOP) {
        const std::string output = MustRead(process.output);
        EXPECT_TRUE(absl::StrContains(output, "did not come to")) << output;
        EXPECT_TRUE(absl::StrContains(output, "after step")) << output;
      }
    }
  }
  const int64_t steps = LastStep(dir) + 20;
  const Result end =
      testing::RunRanks(dir, 2, "melody_rnn_train", flags(dir, steps));
  ASSERT_EQ(end.code, 0) << end.output;
  const ScratchDir undisturbed;
  const Result whole = testing::RunRanks(undisturbed, 1, "melody_rnn_train",
                                         flags(undisturbed, steps));
  ASSERT_EQ(whole.code, 0) << whole.output;
  EXPECT_TRUE(LastCheckpoint(dir, steps) == LastCheckpoint(undisturbed, steps));
}

// Thirty steps of each kind of network by 1, 2 and 4 processes.
TEST(MpiFamiliesTest, EachTrainsAsOneProcess) {
  for (const Case& config :
       {Case{"melody", "attention_rnn",
             "batch_size=8,rnn_layer_sizes=[32,32],attn_length=8", 74, 40},
        Case{"drums", "drum_kit",
             "batch_size=8,rnn_layer_sizes=[32,32,16],attn_length=6", 518, 512},
        Case{"performance", "performance",
             "batch_size=8,rnn_layer_sizes=[32,32,32]", 356, 356}}) {
    ExpectSameBytes(config, 30, {1, 2, 4});
  }
}

}  // namespace
}  // namespace continuo
