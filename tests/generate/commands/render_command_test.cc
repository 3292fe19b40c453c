// SPDX-License-Identifier: Apache-2.0

// continuo_render as a user runs it.

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

// A format 0 file with one note.
const std::string kMidi(
    "MThd\0\0\0\6\0\0\0\1\0\xDC"
    "MTrk\0\0\0\x0D\0\x90\x3C\x64\x81\x5C\x80\x3C\0\0\xFF\x2F\0",
    14 + 8 + 13);

std::string Scratch(const std::string& name) {
  const std::string dir = ::testing::TempDir() + "continuo_render_test";
  EXPECT_TRUE(MakeDirectories(dir).ok());
  return JoinPath(dir, name);
}

int Render(const std::string& flags) {
  const std::string command =
      absl::StrCat(testing::ShellCommand("continuo_render"), " ", flags, " 2>",
                   Scratch("stderr"));
  return WEXITSTATUS(std::system(command.c_str()));
}

bool IsPng(const std::string& path) {
  const auto bytes = ReadFile(path);
  return bytes.ok() && absl::StartsWith(*bytes, "\x89PNG");
}

TEST(RenderCommandTest, DrawsMidiAndLogs) {
  const std::string midi = Scratch("a.mid"), rolls = Scratch("rolls.png");
  ASSERT_TRUE(WriteFileAtomically(midi, kMidi).ok());
  EXPECT_EQ(Render(absl::StrCat("--midi=", midi, " --output=", rolls)), 0);
  EXPECT_TRUE(IsPng(rolls));

  const std::string log = Scratch("log.jsonl"), curve = Scratch("curve.png");
  ASSERT_TRUE(
      WriteFileAtomically(log, "{\"step\":1,\"bits_per_event\":3}\n").ok());
  EXPECT_EQ(Render(absl::StrCat("--train_log=", log, " --eval_log=", log,
                                " --output=", curve)),
            0);
  EXPECT_TRUE(IsPng(curve));
}

TEST(RenderCommandTest, DrawsWhatIsThereOfARunThatHasJustBegun) {
  const std::string log = Scratch("young.jsonl"),
                    empty = Scratch("empty.jsonl");
  const std::string curve = Scratch("young.png");
  ASSERT_TRUE(
      WriteFileAtomically(log, "{\"step\":1,\"bits_per_event\":3}\n").ok());
  ASSERT_TRUE(WriteFileAtomically(empty, "").ok());
  for (const std::string& training : {log, empty}) {
    std::filesystem::remove(curve);
    EXPECT_EQ(Render(absl::StrCat("--log=", training, " --eval_log=", empty,
                                  " --output=", curve)),
              0);
    EXPECT_TRUE(IsPng(curve));
    const auto text = ReadFile(Scratch("stderr"));
    ASSERT_TRUE(text.ok());
    EXPECT_TRUE(absl::StrContains(*text, "empty.jsonl has no step yet"))
        << *text;
  }
}

TEST(RenderCommandTest, RefusalsNameTheFlagAndWriteNothing) {
  const std::string none = Scratch("none.png");
  const std::string damaged = Scratch("damaged.mid");
  ASSERT_TRUE(WriteFileAtomically(damaged, "no MIDI").ok());
  const struct {
    std::string flags;
    std::string message;
  } cases[] = {
      {absl::StrCat("--output=", none), "--midi"},
      {absl::StrCat("--midi=a --train_log=b --output=", none), "--midi"},
      {absl::StrCat("--midi=", damaged), "--output"},
      {absl::StrCat("--midi=a --eval_log=b --output=", none), "--eval_log"},
      {absl::StrCat("--midi=", damaged, " --output=", none), "damaged.mid"},
      {absl::StrCat("--train_log=/missing/log.jsonl --output=", none),
       "/missing/log.jsonl"},
  };
  for (const auto& [flags, message] : cases) {
    SCOPED_TRACE(flags);
    EXPECT_EQ(Render(flags), 1);
    const auto text = ReadFile(Scratch("stderr"));
    ASSERT_TRUE(text.ok());
    EXPECT_TRUE(absl::StrContains(*text, message)) << *text;
    EXPECT_FALSE(FileExists(none));
  }
}

}  // namespace
}  // namespace continuo
