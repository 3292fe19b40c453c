// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/roll_call.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

TEST(RollCallTest, TheFirstReasonCounts) {
  const testing::ScratchDir dir;
  RollCall first(dir.Path(), "n", 0, 2);
  RollCall second(dir.Path(), "n", 1, 2);
  EXPECT_FALSE(first.Called().has_value());
  second.Call(/*gave_up=*/true, "the disk is on fire");
  first.Call(/*gave_up=*/false, "something else");
  for (const RollCall& rank : {first, second}) {
    const auto reason = rank.Called();
    ASSERT_TRUE(reason.has_value());
    EXPECT_EQ(reason->rank, 1);
    EXPECT_TRUE(reason->gave_up);
    EXPECT_EQ(reason->text, "the disk is on fire");
  }
  // Another launch, and the launch after what this one has left is removed.
  EXPECT_FALSE(RollCall(dir.Path(), "m", 0, 2).Called().has_value());
  RollCall::RemoveOld(dir.Path());
  EXPECT_FALSE(first.Called().has_value());
}

TEST(RollCallTest, NamesWhoDoesNotAnswer) {
  const testing::ScratchDir dir;
  const std::string folder = dir.Path();
  RollCall(folder, "n", 0, 3).Answer(7);
  RollCall(folder, "other", 1, 3).Answer(7);
  const RollCall rank(folder, "n", 2, 3);
  EXPECT_EQ(rank.Missing(absl::ZeroDuration()), (std::vector<int>{1, 2}));
}

TEST(RollCallTest, IfAllAnswerNamesWhoIsBehind) {
  const testing::ScratchDir dir;
  const std::string folder = dir.Path();
  RollCall(folder, "n", 0, 3).Answer(7);
  RollCall(folder, "n", 1, 3).Answer(6);
  RollCall last(folder, "n", 2, 3);
  last.Answer(7);
  EXPECT_EQ(last.Missing(absl::Seconds(10)), std::vector<int>{1});
  RollCall(folder, "n", 1, 3).Answer(7);
  EXPECT_EQ(last.Missing(absl::Seconds(10)), std::vector<int>{});
}

TEST(RollCallTest, DamagedFilesSayNothing) {
  const testing::ScratchDir dir;
  const RollCall rank(dir.Path(), "n", 0, 1);
  for (const char* text : {"", "x", "x gave_up y", "1 gave_up"}) {
    ASSERT_TRUE(WriteFileAtomically(dir.Path("failure-n"), text).ok());
    EXPECT_FALSE(rank.Called().has_value()) << text;
  }
  ASSERT_TRUE(WriteFileAtomically(dir.Path("here-0-n"), "many").ok());
  EXPECT_EQ(rank.Missing(absl::ZeroDuration()), std::vector<int>{0});
}

TEST(RollCallTest, WithoutAFolderNobodyAnswers) {
  RollCall rank("", "n", 0, 2);
  rank.Call(true, "why");
  rank.Answer(1);
  EXPECT_FALSE(rank.Called().has_value());
  EXPECT_EQ(rank.Missing(absl::Seconds(10)), std::vector<int>{});
}

}  // namespace
}  // namespace continuo
