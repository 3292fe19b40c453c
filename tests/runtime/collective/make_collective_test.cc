// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/make_collective.h"

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/collective/in_memory.h"

namespace continuo {
namespace {

TEST(MakeCollectiveTest, OneProcessNeedsNothing) {
  const auto collective = MakeCollective({}, Stream());
  ASSERT_TRUE(collective.ok()) << collective.status();
  EXPECT_EQ((*collective)->size(), 1);
}

TEST(MakeCollectiveTest, CpuProcessesNeedMpi) {
  CollectiveSetup setup;
  setup.identity = {.rank = 1, .size = 2, .launcher = "torchrun"};
  const auto collective = MakeCollective(setup, Stream());
  ASSERT_FALSE(collective.ok());
  EXPECT_TRUE(absl::StrContains(collective.status().message(),
                                "torchrun has started it without"))
      << collective.status();
  EXPECT_TRUE(absl::StrContains(collective.status().message(), "mpirun"))
      << collective.status();
}

TEST(CheckSameOnAllTest, NamesTheFirstThatDiffers) {
  auto ranks = MakeInMemory(3);
  absl::Status other;
  std::vector<std::thread> threads;
  for (const int r : {1, 2}) {
    threads.emplace_back([&, r] {
      (void)CheckSameOnAll(*ranks[static_cast<size_t>(r)], "on a CPU");
      (void)CheckSameOnAll(*ranks[static_cast<size_t>(r)],
                           absl::StrCat("on GPU ", r));
    });
  }
  const absl::Status same = CheckSameOnAll(*ranks[0], "on a CPU");
  const absl::Status status = CheckSameOnAll(*ranks[0], "on a CPU");
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(same.ok()) << same;
  EXPECT_EQ(status.message(),
            "rank 0 is on a CPU, but rank 1 is on GPU 1: all must be the same");
}

}  // namespace
}  // namespace continuo
