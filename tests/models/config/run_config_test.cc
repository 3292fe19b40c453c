// SPDX-License-Identifier: Apache-2.0

#include "models/config/run_config.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "runtime/device/version.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::ScratchDir;

RunConfig Example() {
  RunConfig config;
  config.model = *FindConfig(Family::kMelody, "attention_rnn");
  config.model.hparams.rnn_layer_sizes = {16, 8};
  config.model.hparams.learning_rate = 0.1;
  config.seed = std::numeric_limits<uint64_t>::max();
  config.version = ProgramVersion();
  return config;
}

TEST(RunConfigTest, RoundTrip) {
  const ScratchDir dir;
  std::vector<ModelConfig> models;
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    const auto& configs = Configs(family);
    models.insert(models.end(), configs.begin(), configs.end());
  }
  ASSERT_EQ(models.size(), 4u + 2 + 9);
  for (const ModelConfig& model : models) {
    RunConfig config = Example();
    config.model = model;
    ASSERT_TRUE(WriteRunConfig(dir.Path(), config).ok());
    const auto read = ReadRunConfig(dir.Path());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->model.name, model.name);
    EXPECT_EQ(read->model.id, model.id);
    EXPECT_EQ(read->model.description, model.description);
    EXPECT_EQ(read->model.family, model.family);
    EXPECT_TRUE(read->model.encoding == model.encoding) << model.name;
    EXPECT_EQ(read->model.steps_per_quarter, model.steps_per_quarter);
    EXPECT_EQ(HparamsToString(read->model.hparams),
              HparamsToString(model.hparams));
    EXPECT_EQ(read->seed, config.seed);
    EXPECT_EQ(read->version, ProgramVersion());
  }
}

// A run that is not cut has the file it always had.
TEST(RunConfigTest, MicroBatches) {
  RunConfig config = Example();
  EXPECT_FALSE(absl::StrContains(RunConfigToJson(config), "micro_batches"));
  EXPECT_EQ(ParseRunConfig(RunConfigToJson(config), "f")->micro_batches, 1);
  config.micro_batches = 8;
  const std::string text = RunConfigToJson(config);
  EXPECT_EQ(ParseRunConfig(text, "f")->micro_batches, 8);
  for (const char* wrong : {": 0", ": 65537", ": \"8\""}) {
    const absl::Status status =
        ParseRunConfig(absl::StrReplaceAll(
                           text, {{"micro_batches\": 8",
                                   absl::StrCat("micro_batches\"", wrong)}}),
                       "f")
            .status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << wrong;
    EXPECT_TRUE(absl::StrContains(status.message(), "micro_batches"));
  }
}

TEST(RunConfigTest, IsFoundBesideACheckpoint) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteRunConfig(dir.Path(), Example()).ok());
  EXPECT_TRUE(ReadRunConfigBeside(dir.Path()).ok());
  EXPECT_TRUE(ReadRunConfigBeside(dir.Path("model.ckpt-12")).ok());
}

TEST(RunConfigTest, AbsentFileIsNotFound) {
  const ScratchDir dir;
  EXPECT_EQ(ReadRunConfig(dir.Path()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(RunConfigTest, EveryDamagedFieldIsNamed) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteRunConfig(dir.Path(), Example()).ok());
  const std::string path = dir.Path(kRunConfigFile);
  const std::string intact = *ReadFile(path);
  for (const char* field :
       {"family", "config", "generator_id", "encoding", "name", "min_note",
        "max_note", "steps_per_quarter", "hparams", "version"}) {
    const std::string quoted = absl::StrCat("\"", field, "\"");
    ASSERT_TRUE(absl::StrContains(intact, quoted)) << field;
    ASSERT_TRUE(WriteFileAtomically(
                    path, absl::StrReplaceAll(intact, {{quoted, "\"x\""}}))
                    .ok());
    const absl::Status status = ReadRunConfig(dir.Path()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << field;
    EXPECT_TRUE(absl::StrContains(status.message(), quoted)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
  }
  for (const char* text : {"", "[]", "{", "{\"family\": 3}", "\xff"}) {
    ASSERT_TRUE(WriteFileAtomically(path, text).ok());
    EXPECT_EQ(ReadRunConfig(dir.Path()).status().code(),
              absl::StatusCode::kDataLoss)
        << text;
  }
}

TEST(RunConfigTest, ASeedThatIsNotKnownIsLeftOut) {
  RunConfig config = Example();
  const std::string known = RunConfigToJson(config);
  config.seed.reset();
  const std::string unknown = RunConfigToJson(config);
  EXPECT_FALSE(absl::StrContains(unknown, "seed")) << unknown;
  const auto read = ParseRunConfig(unknown, "x");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->seed.has_value());
  // Where there is one, it must be right.
  const std::string number = absl::StrCat(std::numeric_limits<uint64_t>::max());
  ASSERT_TRUE(absl::StrContains(known, number));
  for (const char* wrong : {"-1", "1.5", "null", "\"7\""}) {
    const absl::Status status =
        ParseRunConfig(absl::StrReplaceAll(known, {{number, wrong}}), "x")
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << wrong;
    EXPECT_TRUE(absl::StrContains(status.message(), "\"seed\"")) << status;
  }
}

TEST(RunConfigTest, HyperparametersOutOfRangeAreRefused) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteRunConfig(dir.Path(), Example()).ok());
  const std::string path = dir.Path(kRunConfigFile);
  const std::string text = *ReadFile(path);
  ASSERT_TRUE(WriteFileAtomically(
                  path, absl::StrReplaceAll(text, {{"[16,8]", "[16,-8]"}}))
                  .ok());
  const absl::Status status = ReadRunConfig(dir.Path()).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "rnn_layer_sizes")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
}

// Each change alone is a legal field; together they are no configuration.
TEST(RunConfigTest, FieldsThatDoNotGoTogetherAreNamed) {
  struct Case {
    Family family;
    const char* config;
    std::pair<const char*, const char*> change;
    const char* field;
  };
  for (const Case& bad : {
           Case{Family::kPerformance,
                "performance_with_dynamics_and_note_encoding",
                {"\"num_velocity_bins\": 32", "\"num_velocity_bins\": 0"},
                "num_velocity_bins"},
           {Family::kDrums,
            "drum_kit",
            {"\"drum_kit\",\n    \"min", "\"key_melody\",\n    \"min"},
            "encoding"},
           {Family::kMelody,
            "attention_rnn",
            {"\"key_melody\"", "\"performance\""},
            "encoding"},
           {Family::kMelody,
            "attention_rnn",
            {"\"num_velocity_bins\": 0", "\"num_velocity_bins\": 32"},
            "num_velocity_bins"},
           {Family::kMelody,
            "attention_rnn",
            {"\"max_note\": 84", "\"max_note\": 52"},
            "min_note"},
           {Family::kMelody,
            "attention_rnn",
            {"\"density_control\": false", "\"density_control\": true"},
            "encoding"},
           {Family::kPerformance,
            "performance",
            {"\"optional_controls\": false", "\"optional_controls\": true"},
            "optional_controls"},
           {Family::kMelody,
            "attention_rnn",
            {"\"steps_per_quarter\": 4", "\"steps_per_quarter\": 4000"},
            "steps_per_quarter"},
       }) {
    RunConfig config = Example();
    config.model = *FindConfig(bad.family, bad.config);
    const std::string intact = RunConfigToJson(config);
    const std::string text = absl::StrReplaceAll(intact, {bad.change});
    ASSERT_NE(text, intact) << bad.change.first;
    const absl::Status status = ParseRunConfig(text, "x.json").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << bad.change.second;
    EXPECT_TRUE(absl::StrContains(status.message(), bad.field)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "x.json")) << status;
  }
}

TEST(RunConfigTest, FirstEventsAreStoredAndChecked) {
  RunConfig config = Example();
  EXPECT_FALSE(absl::StrContains(RunConfigToJson(config), "first_events"));
  config.model.first_events = {{-2, 5}, {60, 12}, {67, 1}};
  const std::string text = RunConfigToJson(config);
  const auto read = ParseRunConfig(text, "x");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->model.first_events, config.model.first_events);
  for (const char* wrong :
       {"\"sixty\": 12", "\"60\": \"12\"", "\"60\": -1", "\"60\": 1.5",
        "\"99\": 1", "\"60\": 18446744073709551615"}) {
    const absl::Status status =
        ParseRunConfig(absl::StrReplaceAll(text, {{"\"60\": 12", wrong}}), "x")
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << wrong;
    EXPECT_TRUE(absl::StrContains(status.message(), "first_events")) << status;
  }
}

TEST(RunConfigTest, ManyFieldsTakeLinearTime) {
  std::string text = RunConfigToJson(Example());
  text.resize(text.rfind('}'));
  for (int i = 0; i < 60000; ++i) absl::StrAppend(&text, ",\"f", i, "\":0");
  ASSERT_LT(text.size(), 1 << 20);
  const absl::Time begin = absl::Now();
  EXPECT_TRUE(ParseRunConfig(text + "}", "x").ok());
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace continuo
