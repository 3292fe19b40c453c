// SPDX-License-Identifier: Apache-2.0

// Bundles as a user makes and takes them apart: unpack_bundle and
// --save_generator_bundle, on a tiny bundle of Magenta.

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

struct BundleOutcome {
  int code = -1;
  std::string text;  // stdout and stderr
};

BundleOutcome BundleCommand(const std::string& words) {
  BundleOutcome outcome;
  FILE* pipe = popen(
      absl::StrCat(testing::ShellQuote(CONTINUO_BIN_DIR), "/", words, " 2>&1")
          .c_str(),
      "r");
  CONTINUO_CHECK(pipe != nullptr);
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    outcome.text.append(buffer, n);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

class BundleCommandTest : public ::testing::Test {
 protected:
  BundleCommandTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ = absl::StrCat(::testing::TempDir(), "/bundle_command_", test->name());
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
    golden_ = absl::StrCat(CONTINUO_SOURCE_DIR,
                           "/tests/golden/bundles/attention_rnn.mag");
    checkpoint_ = dir_ + "/model.ckpt";
    bundle_ = dir_ + "/new.mag";
  }
  ~BundleCommandTest() override { std::filesystem::remove_all(dir_); }

  void Unpack() {
    const BundleOutcome outcome = BundleCommand(absl::StrCat(
        "unpack_bundle --bundle_path=", testing::ShellQuote(golden_),
        " --checkpoint_path=", checkpoint_));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
  }

  BundleOutcome Save(const std::string& flags) {
    return BundleCommand(
        absl::StrCat("melody_rnn_generate --save_generator_bundle ", flags));
  }

  std::string dir_;
  std::string golden_;
  std::string checkpoint_;
  std::string bundle_;
};

TEST_F(BundleCommandTest, UnpacksTheCheckpointAndTheMetaGraph) {
  Unpack();
  const auto files = ReadBundleFiles(golden_);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(testing::MustRead(checkpoint_), files->checkpoint);
  EXPECT_EQ(testing::MustRead(checkpoint_ + ".meta"), files->metagraph);
}

TEST_F(BundleCommandTest, SavedBundleGeneratesAsMagentas) {
  Unpack();
  const BundleOutcome saved =
      Save(absl::StrCat("--config=attention_rnn --hparams=attn_length=6 "
                        "--checkpoint_file=",
                        checkpoint_, " --bundle_file=", bundle_,
                        " --bundle_description='made by a test'"));
  ASSERT_EQ(saved.code, 0) << saved.text;
  const auto bundle = ReadBundle(bundle_);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->id, "attention_rnn");
  EXPECT_EQ(bundle->bundle_description, "made by a test");
  std::vector<std::string> outputs;
  for (const std::string& from : {golden_, bundle_}) {
    const std::string out = dir_ + "/out";
    const BundleOutcome outcome = BundleCommand(absl::StrCat(
        "melody_rnn_generate --bundle_file=", testing::ShellQuote(from),
        " --output_dir=", out, " --num_outputs=1 --num_steps=40 --seed=3"));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    const auto names = testing::ListFiles(out, ".mid");
    ASSERT_EQ(names.size(), 1);
    outputs.push_back(testing::MustRead(JoinPath(out, names[0])));
    std::filesystem::remove_all(out);
  }
  EXPECT_EQ(outputs[0], outputs[1]);
}

TEST_F(BundleCommandTest, SavingAgainGivesTheSameBytes) {
  Unpack();
  const std::string flags = absl::StrCat(
      "--config=attention_rnn --hparams=attn_length=6 "
      "--checkpoint_file=",
      checkpoint_, " --bundle_file=");
  std::vector<std::string> bytes;
  for (const char* name : {"/a.mag", "/b.mag", "/c.mag"}) {
    const BundleOutcome saved = Save(flags + dir_ + name);
    ASSERT_EQ(saved.code, 0) << saved.text;
    bytes.push_back(testing::MustRead(dir_ + name));
  }
  // Not EXPECT_EQ, which would print them.
  EXPECT_TRUE(bytes[0] == bytes[1]);
  EXPECT_TRUE(bytes[0] == bytes[2]);
}

TEST_F(BundleCommandTest, DetailsCanBeGiven) {
  Unpack();
  const std::string model = absl::StrCat(
      "--melody_encoder_decoder=key --hparams=attn_length=6 --checkpoint_file=",
      checkpoint_, " --bundle_file=", bundle_);
  // The model of an encoding alone has no id.
  const BundleOutcome nameless = Save(model);
  EXPECT_EQ(nameless.code, 1);
  EXPECT_NE(nameless.text.find("--generator_id"), std::string::npos)
      << nameless.text;
  EXPECT_FALSE(FileExists(bundle_));

  const BundleOutcome named =
      Save(model + " --generator_id=mine --generator_description='My own'");
  ASSERT_EQ(named.code, 0) << named.text;
  EXPECT_NE(named.text.find("--bundle_description"), std::string::npos)
      << named.text;
  const auto bundle = ReadBundle(bundle_);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->id, "mine");
  EXPECT_EQ(bundle->description, "My own");
  EXPECT_EQ(bundle->bundle_description, "");
}

TEST_F(BundleCommandTest, RefusalsNameTheFlagAndWriteNothing) {
  Unpack();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {absl::StrCat("--checkpoint_file=", checkpoint_), "--bundle_file"},
      {absl::StrCat("--bundle_file=", bundle_), "--run_dir"},
      {absl::StrCat("--bundle_file=", bundle_,
                    " --checkpoint_file=", checkpoint_),
       "--config"},
      {absl::StrCat("--bundle_file=", bundle_, " --run_dir=/none"), "/none"},
      {absl::StrCat("--bundle_file=", bundle_,
                    " --config=attention_rnn --hparams=attn_length=6,nonsense=1"
                    " --checkpoint_file=",
                    checkpoint_),
       "nonsense"}};
  for (const auto& [flags, word] : cases) {
    const BundleOutcome outcome = Save(flags);
    EXPECT_EQ(outcome.code, 1) << flags;
    EXPECT_NE(outcome.text.find(word), std::string::npos)
        << flags << ": " << outcome.text;
    EXPECT_FALSE(FileExists(bundle_)) << flags;
  }
  const BundleOutcome none =
      BundleCommand("unpack_bundle --checkpoint_path=" + dir_);
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.text.find("--bundle_path"), std::string::npos) << none.text;
  const BundleOutcome damaged =
      BundleCommand(absl::StrCat("unpack_bundle --bundle_path=", checkpoint_,
                                 " --checkpoint_path=", dir_, "/x"));
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.text.find(checkpoint_), std::string::npos) << damaged.text;
  EXPECT_FALSE(FileExists(dir_ + "/x.meta"));
}

}  // namespace
}  // namespace continuo
