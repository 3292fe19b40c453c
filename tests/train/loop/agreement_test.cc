// SPDX-License-Identifier: Apache-2.0

#include "train/loop/agreement.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/collective/in_memory.h"

namespace continuo {
namespace {

// Calls fn(rank, collective) on each of `ranks` threads.
template <typename Fn>
void OnRanks(int ranks, Fn fn) {
  const auto collectives = MakeInMemory(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] { fn(rank, collectives[rank].get()); });
  }
  for (std::thread& thread : threads) thread.join();
}

LossSums Part(double cross_entropy, int64_t labels) {
  LossSums part;
  part.cross_entropy = cross_entropy;
  part.labels = labels;
  part.correct = labels - 1;
  part.class_labels = {labels, 0};
  return part;
}

TEST(AgreementTest, FindingsOfAllRanksAreThoseOfOne) {
  const std::vector<LossSums> parts = {
      Part(0.1, 3), Part(1e16, 4), Part(0.3, 5), Part(-1e16, 6), Part(0.7, 7)};
  Findings one;
  for (const LossSums& part : parts) one.AddPart(part);
  one.time_steps = 25;
  EXPECT_EQ(one.InTurn().cross_entropy, (((0.1 + 1e16) + 0.3) + -1e16) + 0.7);
  EXPECT_EQ(one.ByTree().cross_entropy, ((0.1 + 1e16) + (0.3 + -1e16)) + 0.7);
  EXPECT_EQ(one.ByTree().labels, 25);
  EXPECT_EQ(one.ByTree().correct, 20);
  OnRanks(3, [&](int rank, Collective* collective) {
    Findings mine;
    const MicroBatchRange range = RangeOfRank(5, rank, 3);
    for (int k = range.begin; k < range.end; ++k) mine.AddPart(parts[k]);
    mine.time_steps = mine.counts.labels;
    mine.signals = {
        .stop = rank == 1, .time_is_up = rank == 2, .save_is_due = rank == 0};
    const auto all = GatherFindings(collective, mine);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->cross_entropy, one.cross_entropy);
    EXPECT_EQ(all->counts.labels, 25);
    EXPECT_EQ(all->counts.class_labels, one.counts.class_labels);
    EXPECT_EQ(all->time_steps, 25);
    EXPECT_TRUE(all->signals.stop);
    EXPECT_FALSE(all->signals.time_is_up);
    EXPECT_TRUE(all->signals.save_is_due);
  });
}

TEST(AgreementTest, BytesThatAreNoFindingsAreAnError) {
  for (const std::string& bytes :
       {std::string("x"), std::string(300, '\xff'), std::string(4000, '\0')}) {
    OnRanks(2, [&](int rank, Collective* collective) {
      if (rank == 1) {
        EXPECT_TRUE(collective->GatherBytes(bytes).ok());
        return;
      }
      const absl::Status status = GatherFindings(collective, {}).status();
      EXPECT_TRUE(absl::IsInternal(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "rank 1"));
    });
  }
}

TEST(AgreementTest, FactsThatDifferAreNamed) {
  OnRanks(3, [](int rank, Collective* collective) {
    const absl::Status same = CheckSameFacts(collective, {{"`a`", "1"}});
    EXPECT_TRUE(same.ok()) << same;
    const absl::Status status = CheckSameFacts(
        collective, {{"`a`", "1"}, {"`b`", rank == 2 ? "3" : "2"}});
    EXPECT_TRUE(absl::IsFailedPrecondition(status));
    EXPECT_TRUE(absl::StrContains(status.message(),
                                  "`b` is 2 on rank 0 but 3 on rank 2"))
        << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "`a`"));
  });
}

// Such as one of another version may send.
TEST(AgreementTest, ARankThatSendsNoFactsIsNotAlike) {
  OnRanks(2, [](int rank, Collective* collective) {
    if (rank == 1) {
      EXPECT_TRUE(collective->GatherBytes("[1, {").ok());
      return;
    }
    const absl::Status status = CheckSameFacts(collective, {{"`a`", "1"}});
    EXPECT_TRUE(absl::StrContains(status.message(),
                                  "`a` is 1 on rank 0 but nothing on rank 1"))
        << status;
  });
}

TEST(AgreementTest, OneProcessAgreesWithItself) {
  EXPECT_TRUE(IsAlone(nullptr));
  EXPECT_TRUE(IsWriter(nullptr));
  EXPECT_EQ(*FromWriter(nullptr, "x"), "x");
  EXPECT_TRUE(CheckSameFacts(nullptr, {{"`a`", "1"}}).ok());
}

}  // namespace
}  // namespace continuo
