// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <stdlib.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/collective/nccl_collective.h"
#include "tests/runtime/collective/jobs.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::JobResult;

// In which ranks that are to come have come, on a busy machine, too.
constexpr double kShort = 3;

// Two processes, each with a device of its own. What rank 1 is doing when rank
// 0 has ended is killed.
struct TwoRanks {
  JobResult rank[2];
};

TwoRanks RunTwo(const std::string& what, double timeout) {
  const testing::ScratchDir dir;
  TwoRanks result;
  const auto run = [&](int r) {
    result.rank[r] = testing::RunJob(
        absl::StrCat("RANK=", r, " LOCAL_RANK=", r, " WORLD_SIZE=2 ",
                     testing::RankProgram(what, timeout, "cuda", dir.Path())));
  };
  std::thread other([&] { run(1); });
  run(0);
  if (what == "stop") {
    int pid = 0;
    CONTINUO_CHECK(absl::SimpleAtoi(*ReadFile(dir.Path("pid-1")), &pid) &&
                   pid > 1);
    kill(pid, SIGKILL);
  }
  other.join();
  return result;
}

class NcclCollectiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("GPUSIM_DEVICES", "2", 1);
    const auto devices = CountCudaDevices();
    if (!devices.ok() || *devices < 2) {
      GTEST_SKIP() << "there is no CUDA device for each of two ranks";
    }
  }
};

TEST_F(NcclCollectiveTest, MovesWhatEachRankAsksFor) {
  const TwoRanks ranks = RunTwo("cases", 60);
  for (const JobResult& rank : ranks.rank) {
    EXPECT_EQ(rank.code, 0) << rank.text;
    EXPECT_TRUE(absl::StrContains(rank.text, "done")) << rank.text;
  }
}

TEST_F(NcclCollectiveTest, CallsAreRecordedInGraphs) {
  const TwoRanks ranks = RunTwo("graph", 60);
  for (const JobResult& rank : ranks.rank) EXPECT_EQ(rank.code, 0) << rank.text;
}

TEST_F(NcclCollectiveTest, AStoppedRankIsNamed) {
  const TwoRanks ranks = RunTwo("stop", kShort);
  EXPECT_EQ(ranks.rank[0].code, 1) << ranks.rank[0].text;
  EXPECT_TRUE(
      absl::StrContains(ranks.rank[0].text, "ERROR: rank 1 (host ") &&
      absl::StrContains(ranks.rank[0].text, ") did not come to ") &&
      absl::StrContains(ranks.rank[0].text, "`collective_timeout`=3 seconds"))
      << ranks.rank[0].text;
  EXPECT_LT(ranks.rank[0].seconds, 30);
}

TEST_F(NcclCollectiveTest, ADeadRankIsNamedBeforeTheTimeout) {
  const TwoRanks ranks = RunTwo("die", 100);
  EXPECT_EQ(ranks.rank[0].code, 1) << ranks.rank[0].text;
  EXPECT_TRUE(absl::StrContains(ranks.rank[0].text, "ERROR: rank 1 (host ") &&
              absl::StrContains(ranks.rank[0].text, " does not answer"))
      << ranks.rank[0].text;
  EXPECT_LT(ranks.rank[0].seconds, 30);
}

TEST_F(NcclCollectiveTest, ARankThatGivesUpEndsTheOthersWithItsReason) {
  const TwoRanks ranks = RunTwo("give_up", 100);
  EXPECT_EQ(ranks.rank[0].code, 1) << ranks.rank[0].text;
  EXPECT_TRUE(
      absl::StrContains(ranks.rank[0].text, "ERROR: rank 1 (host ") &&
      absl::StrContains(ranks.rank[0].text, "gave up: the disk is on fire"))
      << ranks.rank[0].text;
  EXPECT_LT(ranks.rank[0].seconds, 30);
}

TEST_F(NcclCollectiveTest, ARankThatComesLateEndsToo) {
  const TwoRanks ranks = RunTwo("late", kShort);
  for (const JobResult& rank : ranks.rank) {
    EXPECT_EQ(rank.code, 1) << rank.text;
    EXPECT_LT(rank.seconds, 30);
  }
}

TEST_F(NcclCollectiveTest, ARankThatNeverComesIsNamed) {
  const testing::ScratchDir dir;
  const JobResult job = testing::RunJob(
      absl::StrCat("RANK=0 LOCAL_RANK=0 WORLD_SIZE=2 ",
                   testing::RankProgram("cases", 0.5, "cuda", dir.Path())));
  EXPECT_EQ(job.code, 1) << job.text;
  EXPECT_TRUE(absl::StrContains(
      job.text, "ERROR: rank 1 did not come to the rendezvous in "))
      << job.text;
}

TEST_F(NcclCollectiveTest, AProcessAloneDoesNotLoadIt) {
  const testing::ScratchDir dir;
  const JobResult job =
      testing::RunJob(testing::RankProgram("alone", 1, "cuda", dir.Path()));
  EXPECT_EQ(job.code, 0) << job.text;
}

}  // namespace
}  // namespace continuo
