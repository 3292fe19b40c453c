// SPDX-License-Identifier: Apache-2.0

// The help of commands and their messages about wrong flags.

#include "runtime/command/command_line.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/command/flag_errors.h"
#include "runtime/device/version.h"

ABSL_FLAG(std::string, test_folder, "", "Folder of tests");
ABSL_FLAG(std::string, test_list, "", "");
ABSL_FLAG(std::string, test_report, "-", "Where to say it.");
ABSL_FLAG(bool, test_recursive, false, "Subfolders too.");
ABSL_FLAG(int32_t, test_steps, 10, "Steps.");
ABSL_FLAG(double, test_rate, 0.5, "Rate.");
ABSL_FLAG(std::optional<uint64_t>, test_seed, std::nullopt, "Seed.");

namespace continuo {
namespace {

const CommandHelp& Help() {
  static const CommandHelp& help = *new CommandHelp{
      .about = "Tests.",
      .own_file = "command_line_test.cc",
      .groups = {{"Required",
                  HelpLevel::kRequired,
                  {"test_folder=FOLDER", "test_list=LIST"}},
                 {"How fast", HelpLevel::kMore, {"test_rate", "test_absent"}}},
      .after = "Exit status: 0.",
      .units = {{"test_steps", "steps of 10 ms: 3000 are 30 s"}}};
  return help;
}

// The words as main has them, without the program's name.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) args_.push_back(word.data());
  }
  absl::Span<char* const> args() const { return args_; }

 private:
  std::vector<std::string> words_;
  std::vector<char*> args_;
};

std::string Message(std::vector<std::string> words) {
  const Words all(std::move(words));
  return std::string(CheckFlags(all.args(), Help()).message());
}

TEST(CommandLineTest, AcceptsEverySpellingOfAFlag) {
  EXPECT_EQ(Message({}), "");
  EXPECT_EQ(Message({"--test_folder=x", "-test_folder", "y", "stray"}), "");
  EXPECT_EQ(Message({"--test_recursive", "--notest_recursive"}), "");
  EXPECT_EQ(Message({"--", "--unknown"}), "");
  EXPECT_EQ(Message({"--flagfile=run.flags", "--test_rate", "-1.5"}), "");
  // A value may look like a flag.
  EXPECT_EQ(Message({"--test_folder", "--unknown"}), "");
}

TEST(CommandLineTest, UnknownFlagSuggestsTheNearestIfItIsNear) {
  EXPECT_EQ(Message({"--test_folder=x", "--test_floder=y"}),
            "--test_floder: there is no such flag; did you mean "
            "--test_folder? --help=all lists them all");
  EXPECT_EQ(Message({"--test_re"}),
            "--test_re: there is no such flag; did you mean --test_recursive "
            "or --test_report? --help=all lists them all");
  EXPECT_EQ(Message({"-x"}),
            "--x: there is no such flag; --help=all lists them all");
  EXPECT_NE(Message({"--notest_folder"}), "");
  EXPECT_NE(Message({"--test_recursive", "--unknown"}), "");
}

TEST(CommandLineTest, NamesInUndefokMayBeUnknown) {
  EXPECT_EQ(Message({"--undefok=a,b", "--b", "--a=1"}), "");
  EXPECT_NE(Message({"--undefok=a,b", "--c"}), "");
}

TEST(CommandLineTest, WrongValuesAreToldWhatIsExpected) {
  EXPECT_EQ(Message({"--test_steps=1e4"}),
            "--test_steps=1e4: expected a whole number, as in 10000 (steps of "
            "10 ms: 3000 are 30 s)");
  EXPECT_EQ(Message({"--test_steps", "30s"}),
            "--test_steps=30s: expected a whole number (steps of 10 ms: 3000 "
            "are 30 s)");
  EXPECT_EQ(Message({"--test_seed=-1"}),
            "--test_seed=-1: expected a whole number from 0 to "
            "18446744073709551615");
  EXPECT_EQ(Message({"--test_rate=fast"}),
            "--test_rate=fast: expected a number, as in 0.5");
  EXPECT_EQ(Message({"--test_recursive=maybe"}),
            "--test_recursive=maybe: expected true or false");
  EXPECT_EQ(Message({"--test_rate"}),
            "--test_rate: a value is missing, as in --test_rate=...");
}

TEST(CommandLineTest, ListWithoutQuotesIsShownWithThem) {
  const std::string want =
      "looks like part of a list: put the list in quotes, "
      "--test_list=\"[60, -2, 60]\"";
  EXPECT_EQ(Message({"--test_list=[60,", "-2,", "60]"}), "\"-2,\" " + want);
  EXPECT_EQ(Message({"--test_list", "[60,", "-2,", "60]"}), "\"-2,\" " + want);
  const Words words({"program", "--test_list=[60,", "-2,", "60]"});
  EXPECT_EQ(StrayWordError(words.args(), "60]").message(), "\"60]\" " + want);
  EXPECT_EQ(StrayWordError(words.args(), "stray").message(),
            "unexpected argument \"stray\": every value belongs to a flag, as "
            "in --name=value");
}

TEST(CommandLineTest, AllMissingFlagsAreNamedAtOnce) {
  absl::SetFlag(&FLAGS_test_folder, "");
  absl::SetFlag(&FLAGS_test_list, "");
  EXPECT_EQ(CheckRequired(Help()).message(),
            "--test_folder=FOLDER and --test_list=LIST are required; --help "
            "explains them, with examples");
  absl::SetFlag(&FLAGS_test_folder, "x");
  EXPECT_TRUE(CheckRequired(Help()).ok());
}

TEST(HelpTest, ShowsTheFirstFlagsAndAllOnRequest) {
  const std::string first = HelpText(Help(), "");
  EXPECT_TRUE(absl::StrContains(first,
                                "Required\n"
                                "  --test_folder=FOLDER\n"
                                "      Folder of tests.\n"))
      << first;
  EXPECT_FALSE(absl::StrContains(first, "--test_rate"));
  EXPECT_TRUE(absl::StrContains(first, "How fast (1), Other (4)")) << first;
  EXPECT_TRUE(absl::StrContains(first, "\nExit status: 0.\n"));
  EXPECT_TRUE(absl::StrContains(first, "--flagfile=FILE"));

  const std::string all = HelpText(Help(), "all");
  EXPECT_TRUE(absl::StrContains(all,
                                "How fast\n"
                                "  --test_rate=NUMBER\n"
                                "      Rate. Default: 0.5.\n"))
      << all;
  EXPECT_TRUE(absl::StrContains(all, "--test_recursive\n")) << all;
  EXPECT_TRUE(absl::StrContains(all, "--test_seed=N\n      Seed.\n")) << all;
  EXPECT_FALSE(absl::StrContains(all, "test_absent"));
}

TEST(HelpTest, ShowsWhatAWordIsAbout) {
  EXPECT_EQ(HelpText(Help(), "fast"),
            "How fast\n  --test_rate=NUMBER\n      Rate. Default: 0.5.\n");
  EXPECT_EQ(HelpText(Help(), "SEED"), "Other\n  --test_seed=N\n      Seed.\n");
  EXPECT_TRUE(absl::StrContains(HelpText(Help(), "nothing"), "No flag"));
}

TEST(HelpTest, WrapsAtEightyCharacters) {
  EXPECT_EQ(WrapText("", 2), "");
  EXPECT_EQ(WrapText("a  b\nc", 2), "  a b c\n");
  const std::string word(40, 'x');
  EXPECT_EQ(WrapText(word + " " + word, 0), word + "\n" + word + "\n");
  EXPECT_EQ(WrapText(word + " " + word.substr(1), 0),
            word + " " + word.substr(1) + "\n");
}

TEST(VersionTest, NamesVersionAndBuild) {
  EXPECT_TRUE(absl::StartsWith(VersionText(), "continuo " + ProgramVersion()))
      << VersionText();
}

}  // namespace
}  // namespace continuo
