// SPDX-License-Identifier: Apache-2.0

// The help of every command, as a user asks for it.

#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

struct Outcome {
  int code = -1;
  std::string text;  // standard output and error
};

Outcome RunCommand(const std::string& command, const std::string& words) {
  Outcome outcome;
  std::FILE* pipe = popen(absl::StrCat("'" CONTINUO_BIN_DIR "/", command, "' ",
                                       words, " 2>&1 < /dev/null")
                              .c_str(),
                          "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  size_t count;
  while ((count = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    outcome.text.append(buffer, count);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
  return outcome;
}

std::vector<std::string> Commands() {
  return absl::StrSplit(CONTINUO_COMMANDS, ',');
}

// Flags that Abseil prints by itself never appear, nor do lines a terminal
// would break, nor two blanks in a row where there is no column.
void ExpectReadable(const std::string& text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(line.size(), 80u) << line;
    const absl::string_view words = absl::StripLeadingAsciiWhitespace(line);
    if (absl::StartsWith(words, "--")) continue;
    EXPECT_FALSE(absl::StrContains(words, "  ")) << line;
  }
  EXPECT_FALSE(absl::StrContains(text, "default: \"\""));
  EXPECT_FALSE(absl::StrContains(text, "..;"));
}

TEST(CommandsHelpTest, EveryCommandExplainsItself) {
  ASSERT_GE(Commands().size(), 18u);
  for (const std::string& command : Commands()) {
    SCOPED_TRACE(command);
    const Outcome help = RunCommand(command, "--help");
    EXPECT_EQ(help.code, 0);
    ExpectReadable(help.text);
    EXPECT_TRUE(absl::StrContains(help.text, command)) << "no example";
    EXPECT_TRUE(absl::StrContains(help.text, "Exit status: "));
    for (const char* word : {"-h", "--h", "help"}) {
      // continuo_inspect takes words that are no flags.
      if (word[0] != '-' && command == "continuo_inspect") continue;
      EXPECT_EQ(RunCommand(command, word).text, help.text) << word;
    }
    const Outcome all = RunCommand(command, "--help=all");
    EXPECT_EQ(all.code, 0);
    ExpectReadable(all.text);
    EXPECT_GE(all.text.size(), help.text.size() - 200);
    // Each flag has its place in a group.
    EXPECT_FALSE(absl::StrContains(all.text, "\nOther\n")) << all.text;
    EXPECT_EQ(RunCommand(command, "--helpfull").text, all.text);
  }
}

TEST(CommandsHelpTest, EveryCommandTellsItsVersion) {
  for (const std::string& command : Commands()) {
    SCOPED_TRACE(command);
    const Outcome version = RunCommand(command, "--version");
    EXPECT_EQ(version.code, 0);
    EXPECT_TRUE(absl::StartsWith(version.text, "continuo ")) << version.text;
  }
}

TEST(CommandsHelpTest, WrongWordsEndWithStatusOne) {
  for (const std::string& command : Commands()) {
    SCOPED_TRACE(command);
    const Outcome wrong = RunCommand(command, "--no_such_flag=1");
    EXPECT_EQ(wrong.code, 1);
    EXPECT_TRUE(absl::StrContains(
        wrong.text, "--no_such_flag: there is no such flag; --help=all"))
        << wrong.text;
  }
}

TEST(CommandsHelpTest, FlagsComeFromAFileToo) {
  const Outcome missing =
      RunCommand("melody_rnn_train", "--flagfile=/dev/null");
  EXPECT_EQ(missing.code, 1);
  EXPECT_TRUE(absl::StrContains(missing.text, "--sequence_example_file"))
      << missing.text;
}

}  // namespace
}  // namespace continuo
