// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/mpi_collective.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/runtime/collective/jobs.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::JobResult;

// In which ranks that are to come have come, on a busy machine, too.
constexpr double kShort = 3;

JobResult Mpirun(int ranks, const std::string& what, double timeout) {
  const testing::ScratchDir dir;
  return testing::RunJob(absl::StrCat(
      testing::ShellQuote(CONTINUO_MPIRUN),
      " --allow-run-as-root --oversubscribe --bind-to none --tag-output -n ",
      ranks, " ", testing::RankProgram(what, timeout, "cpu", dir.Path())));
}

int CountOf(const std::string& text, const std::string& word) {
  return static_cast<int>(
             std::vector<std::string>(absl::StrSplit(text, word)).size()) -
         1;
}

TEST(MpiCollectiveTest, MovesWhatEachRankAsksFor) {
  for (const int size : {2, 4}) {
    const JobResult job = Mpirun(size, "cases", 60);
    EXPECT_EQ(job.code, 0) << job.text;
    EXPECT_EQ(CountOf(job.text, "done"), size) << job.text;
  }
}

TEST(MpiCollectiveTest, AProcessAloneDoesNotLoadIt) {
  const testing::ScratchDir dir;
  const std::string program =
      testing::RankProgram("alone", 5, "cpu", dir.Path());
  for (const std::string& command :
       {program, absl::StrCat(testing::ShellQuote(CONTINUO_MPIRUN),
                              " --allow-run-as-root -n 1 ", program)}) {
    const JobResult job = testing::RunJob(command);
    EXPECT_EQ(job.code, 0) << job.text;
    EXPECT_TRUE(absl::StrContains(job.text, "done")) << job.text;
  }
}

TEST(MpiCollectiveTest, AStoppedRankIsNamedAndEnded) {
  const JobResult job = Mpirun(2, "stop", kShort);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_TRUE(absl::StrContains(job.text, "ERROR: rank 1 (host ")) << job.text;
  EXPECT_TRUE(
      absl::StrContains(job.text,
                        ") did not come to an all-gather of 40.0 kB within "
                        "`collective_timeout`=3 seconds"))
      << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ADeadRankEndsTheJob) {
  for (const std::string what : {"die", "exit"}) {
    const JobResult job = Mpirun(2, what, 20);
    EXPECT_NE(job.code, 0) << job.text;
    // The launcher's words.
    EXPECT_TRUE(absl::StrContains(job.text, "rank 1") ||
                absl::StrContains(job.text, ",1]"))
        << job.text;
    EXPECT_EQ(CountOf(job.text, "done"), 0) << job.text;
    EXPECT_LT(job.seconds, 20);
  }
}

TEST(MpiCollectiveTest, ARankThatGivesUpEndsTheOthersWithItsReason) {
  const JobResult job = Mpirun(2, "give_up", 60);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_TRUE(absl::StrContains(job.text, "ERROR: rank 1 (host ")) << job.text;
  EXPECT_TRUE(absl::StrContains(job.text, ") gave up: the disk is on fire"))
      << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ARankThatLeavesIsNotWaitedFor) {
  const JobResult job = Mpirun(2, "leave", 60);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_TRUE(
      absl::StrContains(job.text, ") ended before an all-gather of 40.0 kB"))
      << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ARankThatComesLateEndsToo) {
  const JobResult job = Mpirun(2, "late", kShort);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_EQ(CountOf(job.text, "done"), 0) << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ARankThatNeverComesIsNotWaitedForLong) {
  const JobResult job = Mpirun(2, "absent", kShort);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_TRUE(absl::StrContains(job.text, "MPI_Init")) << job.text;
  EXPECT_LT(job.seconds, 20);
}

// 4.3 GB of memory.
TEST(MpiLargeTest, ArraysOfMoreThanTwoGigabytes) {
  const JobResult job = Mpirun(2, "large", 300);
  EXPECT_EQ(job.code, 0) << job.text;
}

}  // namespace
}  // namespace continuo
