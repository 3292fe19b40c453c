// SPDX-License-Identifier: Apache-2.0

#include "train/loop/trainer.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/config/run_config.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

using testing::MustReadLatest;
using testing::ReadJsonLines;
using testing::RunTraining;
using testing::SameTensors;
using testing::ScratchDir;
using testing::SmallRun;

TEST(TrainerTest, ARunThatStoppedEqualsOneThatDidNot) {
  const ScratchDir whole_dir;
  const TrainOptions whole = SmallRun(whole_dir, 13);
  ASSERT_TRUE(RunTraining(whole).ok());
  const ScratchDir parts_dir;
  for (int64_t steps : {1, 6, 7, 13}) {
    const auto result = RunTraining(SmallRun(parts_dir, steps));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->global_step, steps);
  }
  EXPECT_TRUE(SameTensors(MustReadLatest(whole),
                          MustReadLatest(SmallRun(parts_dir, 13))));
}

TEST(TrainerTest, ResultsDoNotDependOnTheNumberOfThreads) {
  const ScratchDir one;
  const ScratchDir three;
  ASSERT_TRUE(RunTraining(SmallRun(one, 5), 1).ok());
  ASSERT_TRUE(RunTraining(SmallRun(three, 5), 3).ok());
  EXPECT_TRUE(SameTensors(MustReadLatest(SmallRun(one, 5)),
                          MustReadLatest(SmallRun(three, 5))));
}

TEST(TrainerTest, SeedsDiffer) {
  const ScratchDir a;
  const ScratchDir b;
  ASSERT_TRUE(RunTraining(SmallRun(a, 2)).ok());
  TrainOptions other = SmallRun(b, 2);
  other.seed = 18;
  ASSERT_TRUE(RunTraining(other).ok());
  EXPECT_FALSE(
      SameTensors(MustReadLatest(SmallRun(a, 2)), MustReadLatest(other)));
}

TEST(TrainerTest, TheLossFallsBelowTheUnigramBaseline) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 300);
  options.model.hparams =
      "batch_size=11,rnn_layer_sizes=[24],dropout_keep_prob=1,"
      "learning_rate=0.02";
  ASSERT_TRUE(RunTraining(options).ok());
  const auto lines =
      ReadJsonLines(JoinPath(TrainDir(options.run_dir), "log.jsonl"));
  EXPECT_LT(lines.back()["bits_per_event"].get<double>(),
            0.6 * lines.back()["unigram_bits_per_event"].get<double>());
}

TEST(TrainerTest, LeavesTheFilesOfARun) {
  const ScratchDir dir;
  const TrainOptions options = SmallRun(dir, 3);
  const auto result = RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, TrainEnd::kSteps);
  const std::string train = TrainDir(options.run_dir);
  EXPECT_EQ(result->checkpoint, JoinPath(train, "model.ckpt-3"));
  for (const char* name :
       {"checkpoint", "model.ckpt-0.index", "model.ckpt-3.index",
        "model.ckpt-3.data-00000-of-00001", "log.jsonl", "continuo.json"}) {
    EXPECT_TRUE(FileExists(JoinPath(train, name))) << name;
  }
  EXPECT_EQ(ReadRunConfig(train)->seed, 17);
  EXPECT_EQ(ReadRunConfig(train)->model.hparams.rnn_layer_sizes,
            (std::vector<int>{8, 6}));
}

TEST(TrainerTest, ReportsComeAtTheFirstStepAndThenAtTheFrequency) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 8);
  options.summary_frequency = 3;
  ASSERT_TRUE(RunTraining(options).ok());
  std::vector<int64_t> steps;
  for (const auto& line :
       ReadJsonLines(JoinPath(TrainDir(options.run_dir), "log.jsonl"))) {
    steps.push_back(line["step"].get<int64_t>());
  }
  EXPECT_EQ(steps, (std::vector<int64_t>{1, 4, 7}));
}

TEST(TrainerTest, SavesEverySoManySteps) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 7);
  options.save_steps = 3;
  options.num_checkpoints = 3;
  ASSERT_TRUE(RunTraining(options).ok());
  EXPECT_EQ(
      testing::ListFiles(TrainDir(options.run_dir), ".index"),
      (std::vector<std::string>{"model.ckpt-3.index", "model.ckpt-6.index",
                                "model.ckpt-7.index"}));
}

TEST(TrainerTest, PicturesComeAtTheirStepsAndChangeNothing) {
  const ScratchDir with;
  TrainOptions options = SmallRun(with, 7);
  options.sample_every_steps = 3;
  int pictures = 0;
  options.sample =
      [&](const EventRnn&, const ModelConfig& config, uint64_t seed,
          const StopFlag&) -> absl::StatusOr<std::vector<SummaryImage>> {
    EXPECT_EQ(config.name, "basic_rnn");
    EXPECT_EQ(seed, 17);
    ++pictures;
    if (pictures == 2) return absl::InvalidArgumentError("no picture today");
    return std::vector<SummaryImage>{
        {.width = 1, .height = 1, .png = "a picture"},
        {.width = 1, .height = 1, .png = "another one"}};
  };
  ::testing::internal::CaptureStderr();
  const auto result = RunTraining(options);
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(pictures, 2);
  EXPECT_TRUE(absl::StrContains(log, "step 6: no picture today")) << log;
  const std::string train = TrainDir(options.run_dir);
  std::string events;
  for (const std::string& name : testing::ListFiles(train, "")) {
    if (absl::StartsWith(name, "events.")) {
      events += testing::MustRead(JoinPath(train, name));
    }
  }
  for (const char* text :
       {"a picture", "another one", "continuo/sample_1", "continuo/sample_2"}) {
    EXPECT_TRUE(absl::StrContains(events, text)) << text;
  }
  const ScratchDir without;
  ASSERT_TRUE(RunTraining(SmallRun(without, 7)).ok());
  EXPECT_TRUE(SameTensors(MustReadLatest(options),
                          MustReadLatest(SmallRun(without, 7))));
}

TEST(TrainerTest, AStopRequestSavesAndEnds) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 0);
  ThreadPool pool(1);
  const StopFlag stop{true};
  const auto result = Train(options, Stream{.device = {}, .pool = &pool}, stop);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, TrainEnd::kStopped);
  EXPECT_EQ(result->global_step, 0);
  EXPECT_TRUE(ReadCheckpoint(TrainDir(options.run_dir)).ok());
}

TEST(TrainerTest, TheTimeLimitEndsARunAndIsNamed) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 1000000);
  options.max_time = absl::Milliseconds(20);
  ::testing::internal::CaptureStderr();
  const auto result = RunTraining(options);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(log,
                                "(`max_training_seconds` reached before "
                                "`num_training_steps`=1000000)"))
      << log;
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, TrainEnd::kTime);
  EXPECT_EQ(MustReadLatest(options).at("global_step").ints[0],
            result->global_step);
}

TEST(TrainerTest, IntervalsDoNotCareForTheTimeOfDay) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 0);
  options.save_interval = absl::Seconds(50);
  options.num_checkpoints = 0;
  options.max_time = absl::Seconds(400);
  // Somebody sets the time of day back an hour whenever it is looked at.
  absl::Time wall = absl::FromUnixSeconds(1'700'000'000);
  absl::Duration elapsed = absl::Hours(5);
  options.clock = {.monotonic = [&] { return elapsed += absl::Seconds(2); },
                   .wall = [&] { return wall -= absl::Hours(1); }};
  ::testing::internal::CaptureStderr();
  const auto result = RunTraining(options);
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, TrainEnd::kTime);
  EXPECT_GE(testing::ListFiles(TrainDir(options.run_dir), ".index").size(), 6);
  EXPECT_TRUE(absl::StrContains(log, " after 0:06:")) << log;
  for (const auto& line :
       ReadJsonLines(JoinPath(TrainDir(options.run_dir), "log.jsonl"))) {
    EXPECT_GT(line["events_per_second"].get<double>(), 0);
    EXPECT_GE(line["elapsed_seconds"].get<double>(), 0);
  }
}

TEST(TrainerTest, ARunAtItsLastStepHasNothingToDo) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  const auto again = RunTraining(SmallRun(dir, 2));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->global_step, 2);
}

TEST(TrainerTest, ALossThatIsNotFiniteStopsTheRun) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 200);
  options.model.hparams += ",clip_norm=0";
  // Weights near the largest float overflow in the next forward pass.
  options.model.hparams =
      "batch_size=4,rnn_layer_sizes=[8],dropout_keep_prob=1,"
      "learning_rate=3e38,clip_norm=0";
  const auto result = RunTraining(options);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kAborted)
      << result.status();
  EXPECT_TRUE(absl::StrContains(result.status().message(), "not finite"));
  for (const auto& [name, tensor] : MustReadLatest(options)) {
    for (float value : tensor.floats) ASSERT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(TrainerTest, ALossFarAboveAGuessStopsTheRunAndIsNeverSaved) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 500);
  options.model.hparams =
      "batch_size=4,rnn_layer_sizes=[8],dropout_keep_prob=1,"
      "learning_rate=1e20";
  options.save_steps = 1;
  ::testing::internal::CaptureStderr();
  const absl::Status status = RunTraining(options).status();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  for (const char* text : {"diverged", "learning_rate (now 1e+20)",
                           "clip_norm (now 5)", "model.ckpt-0"}) {
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  }
  // What is far too high is printed in few digits.
  EXPECT_FALSE(absl::StrContains(log, "00000000")) << log;
  const std::string train = TrainDir(options.run_dir);
  EXPECT_EQ(testing::ListFiles(train, ".index"),
            std::vector<std::string>{"model.ckpt-0.index"});
  const auto lines = ReadJsonLines(JoinPath(train, "log.jsonl"));
  EXPECT_GE(lines.back()["step"], 101);
  EXPECT_LE(lines.back()["step"], 130);
  // With the advice taken, it goes on.
  options.model.hparams = "learning_rate=0.01";
  options.num_training_steps = 3;
  const auto again = RunTraining(options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->global_step, 3);
}

TEST(TrainerTest, ARunThatEndsDivergedIsAnErrorToo) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 6);
  ASSERT_TRUE(RunTraining(options).ok());
  options.model.hparams = "learning_rate=1e20";
  options.num_training_steps = 9;
  const absl::Status status = RunTraining(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(MustReadLatest(options).at("global_step").ints[0], 6);
}

TEST(TrainerTest, DataOfAnotherConfigurationWritesNothing) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 2);
  options.model.config = "lookback_rnn";
  const absl::Status status = RunTraining(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(
      status.message(),
      absl::StrCat(dir.Path("data"),
                   ": record 0: inputs at step 0: 38 values, but "
                   "`config`=lookback_rnn expects 121")))
      << status;
  EXPECT_FALSE(FileExists(options.run_dir));
}

TEST(TrainerTest, FlagsThatDisagreeWithTheRunAreNamed) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 1)).ok());
  TrainOptions seed = SmallRun(dir, 2);
  seed.seed = 99;
  const absl::Status status = RunTraining(seed).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "`seed`=99")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "17")) << status;
  TrainOptions bare = SmallRun(dir, 2);
  bare.seed.reset();
  bare.model = {};
  EXPECT_TRUE(RunTraining(bare).ok());
}

TEST(TrainerTest, ARunThatHasLostItsSeedAsksForIt) {
  const ScratchDir dir;
  TrainOptions options = SmallRun(dir, 1);
  ASSERT_TRUE(RunTraining(options).ok());
  const std::string train = TrainDir(options.run_dir);
  RunConfig config = *ReadRunConfig(train);
  config.seed.reset();
  ASSERT_TRUE(WriteRunConfig(train, config).ok());
  options = SmallRun(dir, 2);
  options.seed.reset();
  const absl::Status status = RunTraining(options).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "continuo.json")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "`seed`")) << status;
  options.seed = 17;
  EXPECT_TRUE(RunTraining(options).ok());
}

// Flips a bit of a file's byte; returns what the file then holds.
std::string Damage(const std::string& path, size_t byte) {
  std::string bytes = *ReadFile(path);
  bytes[byte] ^= 1;
  CONTINUO_CHECK(WriteFileAtomically(path, bytes).ok());
  return bytes;
}

TEST(TrainerTest, ADamagedCheckpointIsReplacedByTheOneBeforeIt) {
  const ScratchDir whole_dir;
  ASSERT_TRUE(RunTraining(SmallRun(whole_dir, 6)).ok());
  for (const char* suffix : {".index", ".data-00000-of-00001"}) {
    const ScratchDir dir;
    TrainOptions options = SmallRun(dir, 4);
    options.save_steps = 2;
    options.num_checkpoints = 3;
    ASSERT_TRUE(RunTraining(options).ok());
    const std::string train = TrainDir(options.run_dir);
    const std::string newest = JoinPath(train, "model.ckpt-4");
    Damage(newest + suffix, 60);
    options.num_training_steps = 6;
    options.save_steps = 0;
    ::testing::internal::CaptureStderr();
    const auto result = RunTraining(options);
    const std::string log = ::testing::internal::GetCapturedStderr();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(absl::StrContains(log, "checksum")) << log;
    EXPECT_TRUE(
        absl::StrContains(log, absl::StrCat(newest, " cannot be used; using ",
                                            JoinPath(train, "model.ckpt-2"))))
        << log;
    EXPECT_TRUE(SameTensors(MustReadLatest(options),
                            MustReadLatest(SmallRun(whole_dir, 6))));
    // The damaged one takes no good one's place.
    EXPECT_EQ(ReadCheckpointState(train)->all.size(), 3);
  }
}

TEST(TrainerTest, AMissingCheckpointIsReplacedByTheOneBeforeIt) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  const std::string train = TrainDir(dir.Path("run"));
  ASSERT_EQ(std::remove(JoinPath(train, "model.ckpt-2.index").c_str()), 0);
  ASSERT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  EXPECT_EQ(MustReadLatest(SmallRun(dir, 2)).at("global_step").ints[0], 2);
}

TEST(TrainerTest, ARunWithoutAReadableCheckpointIsNotOverwritten) {
  const ScratchDir dir;
  const TrainOptions options = SmallRun(dir, 2);
  ASSERT_TRUE(RunTraining(options).ok());
  const std::string train = TrainDir(options.run_dir);
  const std::string newest =
      JoinPath(train, "model.ckpt-2.data-00000-of-00001");
  const std::string bytes = Damage(newest, 100);
  Damage(JoinPath(train, "model.ckpt-0.index"), 50);
  const absl::Status status = RunTraining(SmallRun(dir, 4)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "model.ckpt-2")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "`run_dir`")) << status;
  EXPECT_EQ(*ReadFile(newest), bytes);
  EXPECT_FALSE(FileExists(JoinPath(train, "model.ckpt-4.index")));
}

TEST(TrainerTest, ARunThatLostItsStateFileIsNotOverwritten) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  const std::string train = TrainDir(dir.Path("run"));
  const TensorMap before = MustReadLatest(SmallRun(dir, 2));
  ASSERT_EQ(std::remove(JoinPath(train, "checkpoint").c_str()), 0);
  const absl::Status status = RunTraining(SmallRun(dir, 3)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_FALSE(FileExists(JoinPath(train, "checkpoint")));
  // The remedy that the message names.
  EXPECT_TRUE(absl::StrContains(status.message(),
                                "model_checkpoint_path: \"model.ckpt-N\""))
      << status;
  ASSERT_TRUE(WriteFileAtomically(JoinPath(train, "checkpoint"),
                                  "model_checkpoint_path: \"model.ckpt-2\"\n")
                  .ok());
  EXPECT_TRUE(SameTensors(MustReadLatest(SmallRun(dir, 2)), before));
  const auto result = RunTraining(SmallRun(dir, 3));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->global_step, 3);
}

TEST(TrainerTest, AFlippedByteInTheStateFileNeverLosesTheRun) {
  const ScratchDir whole_dir;
  ASSERT_TRUE(RunTraining(SmallRun(whole_dir, 3)).ok());
  const TensorMap whole = MustReadLatest(SmallRun(whole_dir, 3));
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  const std::string train = TrainDir(dir.Path("run"));
  const std::string path = JoinPath(train, "checkpoint");
  const std::string intact = *ReadFile(path);
  int continued = 0;
  // The line that names the newest checkpoint.
  for (size_t i = 0; i <= intact.find('\n'); i += 3) {
    std::string damaged = intact;
    damaged[i] ^= 1;
    ASSERT_TRUE(WriteFileAtomically(path, damaged).ok());
    const auto result = RunTraining(SmallRun(dir, 3));
    if (result.ok()) {
      ++continued;
      EXPECT_TRUE(SameTensors(MustReadLatest(SmallRun(dir, 3)), whole)) << i;
    } else {
      EXPECT_TRUE(absl::StrContains(result.status().message(), path))
          << result.status();
    }
    std::remove(JoinPath(train, "model.ckpt-3.index").c_str());
  }
  EXPECT_GT(continued, 0);
}

TEST(TrainerTest, OtherDataOfTheSameKindBeginsANewEpoch) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  testing::WriteBasicRnnData(dir.Path("data"), 5);
  const auto result = RunTraining(SmallRun(dir, 3));
  ASSERT_TRUE(result.ok()) << result.status();
  const TensorMap tensors = MustReadLatest(SmallRun(dir, 3));
  EXPECT_EQ(tensors.at("continuo/data_epoch").ints[0], 1);
  EXPECT_EQ(tensors.at("continuo/data_index").ints[0], 4);
}

}  // namespace
}  // namespace continuo
