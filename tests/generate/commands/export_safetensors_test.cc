// SPDX-License-Identifier: Apache-2.0

// export_safetensors as a user runs it: bundle to safetensors, and on from
// there.

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/safetensors.h"
#include "models/config/run_config.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using testing::ScratchDir;

// Exit status; the output goes to `dir`/log.
int RunCommand(const ScratchDir& dir, const std::string& command) {
  const int status =
      std::system(absl::StrCat(testing::ShellQuote(CONTINUO_BIN_DIR), "/",
                               command, " >", dir.Path("log"), " 2>&1")
                      .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string BundlePath(const std::string& name) {
  return absl::StrCat(CONTINUO_SOURCE_DIR, "/tests/golden/bundles/", name,
                      ".mag");
}

TEST(ExportSafetensorsTest, HoldsTheWeightsOfTheBundle) {
  const ScratchDir dir;
  for (const std::string name :
       {"attention_rnn", "performance_with_dynamics"}) {
    const std::string path = dir.Path("new/model.safetensors");
    ASSERT_EQ(
        RunCommand(dir, absl::StrCat("export_safetensors --bundle_file=",
                                     testing::ShellQuote(BundlePath(name)),
                                     " --output=", path)),
        0)
        << testing::MustRead(dir.Path("log"));
    const auto bundle = ReadBundle(BundlePath(name));
    ASSERT_TRUE(bundle.ok());
    const auto contents = ParseSafetensors(testing::MustRead(path), path);
    ASSERT_TRUE(contents.ok()) << contents.status();
    EXPECT_EQ(contents->metadata.at("config"), name);
    EXPECT_TRUE(
        absl::StrContains(contents->metadata.at("hparams"), "rnn_layer_sizes"));
    ASSERT_GT(contents->tensors.size(), 4);
    for (const auto& [tensor_name, tensor] : contents->tensors) {
      const auto original = bundle->tensors.find(tensor_name);
      ASSERT_NE(original, bundle->tensors.end()) << tensor_name;
      EXPECT_EQ(tensor.floats, original->second.floats) << tensor_name;
      EXPECT_EQ(tensor.shape, original->second.shape) << tensor_name;
    }
  }
}

TEST(ExportSafetensorsTest, HasTheSeedOfTheTraining) {
  const ScratchDir dir;
  const std::string path = dir.Path("model.safetensors");
  ASSERT_EQ(
      RunCommand(dir,
                 absl::StrCat("export_safetensors --bundle_file=",
                              testing::ShellQuote(BundlePath("attention_rnn")),
                              " --output=", path)),
      0)
      << testing::MustRead(dir.Path("log"));
  auto contents = ParseSafetensors(testing::MustRead(path), path);
  ASSERT_TRUE(contents.ok()) << contents.status();
  const std::string json = contents->metadata.at(kSafetensorsRunConfig);
  // A bundle does not tell it.
  EXPECT_FALSE(absl::StrContains(json, "seed")) << json;
  // As of a training.
  auto config = ParseRunConfig(json, "json");
  ASSERT_TRUE(config.ok()) << config.status();
  config->seed = 77;
  contents->metadata[kSafetensorsRunConfig] = RunConfigToJson(*config);
  ASSERT_TRUE(WriteFileAtomically(path, SerializeSafetensors(*contents)).ok());
  const std::string again = dir.Path("again.safetensors");
  ASSERT_EQ(RunCommand(
                dir, absl::StrCat("export_safetensors --checkpoint_file=", path,
                                  " --output=", again)),
            0);
  contents = ParseSafetensors(testing::MustRead(again), again);
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_TRUE(absl::StrContains(contents->metadata.at(kSafetensorsRunConfig),
                                "\"seed\": 77"));
}

TEST(ExportSafetensorsTest, ScoresAndGeneratesLikeTheBundle) {
  const ScratchDir dir;
  const std::string path = dir.Path("model.safetensors");
  ASSERT_EQ(
      RunCommand(dir,
                 absl::StrCat("export_safetensors --bundle_file=",
                              testing::ShellQuote(BundlePath("attention_rnn")),
                              " --output=", path)),
      0);
  const std::string tunes =
      absl::StrCat(" --input=", testing::ShellSource("scripts/tunes/reels.abc"),
                   " --output=");
  ASSERT_EQ(
      RunCommand(dir,
                 absl::StrCat("melody_rnn_score --bundle_file=",
                              testing::ShellQuote(BundlePath("attention_rnn")),
                              tunes, dir.Path("a"))),
      0);
  ASSERT_EQ(RunCommand(dir, absl::StrCat("melody_rnn_score --checkpoint_file=",
                                         path, tunes, dir.Path("b"))),
            0)
      << testing::MustRead(dir.Path("log"));
  EXPECT_EQ(testing::MustRead(dir.Path("a")), testing::MustRead(dir.Path("b")));
  EXPECT_EQ(RunCommand(dir, absl::StrCat("melody_rnn_generate --num_outputs=1 "
                                         "--num_steps=16 --checkpoint_file=",
                                         path, " --output_dir=", dir.Path())),
            0)
      << testing::MustRead(dir.Path("log"));
  EXPECT_EQ(RunCommand(dir, absl::StrCat("drums_rnn_generate "
                                         "--checkpoint_file=",
                                         path, " --output_dir=", dir.Path())),
            1);
  EXPECT_TRUE(
      absl::StrContains(testing::MustRead(dir.Path("log")), "melody_rnn"));
}

TEST(ExportSafetensorsTest, RefusalsNameTheRemedy) {
  const ScratchDir dir;
  const std::string out = absl::StrCat(" --output=", dir.Path("x.safetensors"));
  const std::pair<std::string, std::string> cases[] = {
      {"--bundle_file=" + testing::ShellQuote(BundlePath("attention_rnn")),
       "--output"},
      {out, "--run_dir"},
      {absl::StrCat("--output=", dir.Path("x.npz")), ".safetensors"},
      {"--run_dir=/none" + out, "--config"},
      {"--bundle_file=/none.mag" + out, "/none.mag"},
      {"--config=basic_rm --run_dir=/none" + out, "basic_rnn"}};
  for (const auto& [flags, word] : cases) {
    EXPECT_EQ(RunCommand(dir, "export_safetensors " + flags), 1) << flags;
    const std::string log = testing::MustRead(dir.Path("log"));
    EXPECT_TRUE(absl::StrContains(log, word)) << flags << ": " << log;
    EXPECT_FALSE(FileExists(dir.Path("x.safetensors")));
  }
}

}  // namespace
}  // namespace continuo
