#include "runtime/command_line.h"

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, test_folder, "", "");
ABSL_FLAG(bool, test_recursive, false, "");

namespace continuo {
namespace {

absl::Status Check(std::vector<std::string> words) {
  std::vector<char*> args;
  for (std::string& word : words) args.push_back(word.data());
  return CheckFlagNames(args, "command_line_test.cc");
}

TEST(CommandLineTest, AcceptsEverySpellingOfAFlag) {
  EXPECT_TRUE(Check({}).ok());
  EXPECT_TRUE(Check({"--test_folder=x", "-test_folder", "y", "stray"}).ok());
  EXPECT_TRUE(Check({"--test_recursive", "--notest_recursive"}).ok());
  EXPECT_TRUE(Check({"--help", "--", "--unknown"}).ok());
  // A value may look like a flag.
  EXPECT_TRUE(Check({"--test_folder", "--unknown"}).ok());
}

TEST(CommandLineTest, UnknownFlagSuggestsTheNearest) {
  const absl::Status status = Check({"--test_folder=x", "--test_floder=y"});
  EXPECT_EQ(status.message(),
            "--test_floder: there is no such flag; did you mean "
            "--test_folder? --help lists them all");
  EXPECT_FALSE(Check({"--notest_folder"}).ok());
  EXPECT_FALSE(Check({"--test_recursive", "--unknown"}).ok());
}

}  // namespace
}  // namespace continuo
