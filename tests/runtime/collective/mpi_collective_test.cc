// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/mpi_collective.h"

#include <stdio.h>
#include <sys/wait.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

struct JobResult {
  int code = 0;
  std::string text;  // of all ranks
  double seconds = 0;
};

JobResult RunJob(const std::string& command) {
  JobResult result;
  const absl::Time begin = absl::Now();
  // What this test itself was started by is nothing to the job.
  FILE* pipe = popen(
      absl::StrCat("exec 2>&1 </dev/null; unset RANK WORLD_SIZE LOCAL_RANK; ",
                   command)
          .c_str(),
      "r");
  CONTINUO_CHECK(pipe != nullptr);
  char part[4096];
  for (size_t got; (got = fread(part, 1, sizeof(part), pipe)) > 0;) {
    result.text.append(part, got);
  }
  const int status = pclose(pipe);
  result.code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  return result;
}

std::string Program(const std::string& what, double timeout) {
  return absl::StrCat(testing::ShellQuote(CONTINUO_MPI_PROGRAM), " ", what, " ",
                      timeout);
}

JobResult Mpirun(int ranks, const std::string& what, double timeout) {
  return RunJob(absl::StrCat(
      testing::ShellQuote(CONTINUO_MPIRUN),
      " --allow-run-as-root --oversubscribe --bind-to none --tag-output -n ",
      ranks, " ", Program(what, timeout)));
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
  for (const std::string& command :
       {Program("alone", 5),
        absl::StrCat(testing::ShellQuote(CONTINUO_MPIRUN),
                     " --allow-run-as-root -n 1 ", Program("alone", 5))}) {
    const JobResult job = RunJob(command);
    EXPECT_EQ(job.code, 0) << job.text;
    EXPECT_TRUE(absl::StrContains(job.text, "done")) << job.text;
  }
}

TEST(MpiCollectiveTest, AStoppedRankIsNamedAndEnded) {
  const JobResult job = Mpirun(2, "stop", 0.5);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_TRUE(absl::StrContains(job.text, "ERROR: rank 1 (host ")) << job.text;
  EXPECT_TRUE(
      absl::StrContains(job.text,
                        ") did not come to an all-gather of 400.0 kB within "
                        "`collective_timeout`=0.5 seconds"))
      << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ADeadRankEndsTheJob) {
  for (const std::string what : {"die", "exit"}) {
    const JobResult job = Mpirun(2, what, 5);
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
      absl::StrContains(job.text, ") ended before an all-gather of 400.0 kB"))
      << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ARankThatComesLateEndsToo) {
  const JobResult job = Mpirun(2, "late", 0.5);
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_EQ(CountOf(job.text, "done"), 0) << job.text;
  EXPECT_LT(job.seconds, 20);
}

TEST(MpiCollectiveTest, ARankThatNeverComesIsNotWaitedForLong) {
  const JobResult job = Mpirun(2, "absent", 1);
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
