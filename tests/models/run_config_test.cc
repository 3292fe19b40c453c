#include "models/run_config.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "runtime/file.h"
#include "runtime/version.h"
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
        "max_note", "steps_per_quarter", "hparams", "seed", "version"}) {
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

}  // namespace
}  // namespace continuo
