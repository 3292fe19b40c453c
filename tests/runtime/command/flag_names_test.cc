// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/flag_names.h"

#include <filesystem>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"
#include "runtime/base/log_rewriter.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;

TEST(NameFlagsTest, ShowsFieldsAsFlags) {
  EXPECT_EQ(NameFlags("`num_steps`=0: must be at least 1"),
            "--num_steps=0: must be at least 1");
  EXPECT_EQ(NameFlags("`a` and `b2_c`"), "--a and --b2_c");
  EXPECT_EQ(NameFlags("leave out `device`"), "leave out --device");
  EXPECT_EQ(NameFlags("nothing"), "nothing");
  EXPECT_EQ(NameFlags(""), "");
}

TEST(NameFlagsTest, ShowsWhatIsSwitchedOffAsOneWrites) {
  EXPECT_EQ(NameFlags("go on with `self_check`=false."),
            "go on with --noself_check.");
  EXPECT_EQ(NameFlags("`dedup`=false"), "--nodedup");
  EXPECT_EQ(NameFlags("`input`=false_notes.mid"), "--input=false_notes.mid");
}

TEST(NameFlagsTest, LeavesOtherTextInBackquotes) {
  for (const char* text : {"`", "``", "a ` b", "`Tune 1`", "`a b`",
                           "`tunes/a.mid`", "`_a`", "```", "a`b", "`9`"}) {
    EXPECT_EQ(NameFlags(text), text);
  }
  EXPECT_EQ(NameFlags("don`t, `config`"), "don`t, --config");
}

TEST(LogRewriterTest, RewritesWhatIsLogged) {
  ::testing::internal::CaptureStderr();
  SetLogRewriter(NameFlags);
  LogError("`seed`=1");
  SetLogRewriter(nullptr);
  LogError("`seed`=1");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "ERROR: --seed=1\nERROR: `seed`=1\n");
}

// Whether a literal of the line has two dashes before a letter.
bool NamesAFlag(absl::string_view line) {
  if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "//")) {
    return false;
  }
  bool quoted = false;
  for (size_t i = 0; i + 2 < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && line.substr(i, 2) == "//") {
      return false;
    } else if (quoted && line.substr(i, 2) == "--" &&
               (absl::ascii_isalpha(line[i + 2]) || line[i + 2] == '"')) {
      return true;
    }
  }
  return false;
}

// A program that embeds the libraries has fields; flags are for the commands.
TEST(NameFlagsTest, LibrariesNameNoFlags) {
  EXPECT_TRUE(NamesAFlag("  return Error(\"--seed=\", seed);"));
  EXPECT_TRUE(NamesAFlag("absl::StrCat(\"--\", field)"));
  EXPECT_FALSE(NamesAFlag("  --i;  // the value of \"--seed\""));
  int sources = 0;
  for (const char* folder :
       {"runtime", "kernels", "data", "models", "train", "generate"}) {
    const std::string root = absl::StrCat(CONTINUO_SOURCE_DIR, "/", folder);
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string path = entry.path().string();
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc" && extension != ".cu" &&
          extension != ".cuh") {
        continue;
      }
      if (absl::StrContains(path, "/commands/") ||
          absl::StrContains(path, "/runtime/command/")) {
        continue;
      }
      ++sources;
      for (absl::string_view line :
           absl::StrSplit(testing::MustRead(path), '\n')) {
        EXPECT_FALSE(NamesAFlag(line)) << path << ": " << line;
      }
    }
  }
  EXPECT_GT(sources, 100);
}

}  // namespace
}  // namespace continuo
