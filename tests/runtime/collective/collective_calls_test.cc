// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/collective_calls.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(NameRanksTest, NamesHostsWhereTheyAreKnown) {
  EXPECT_EQ(NameRanks({1}, {}), "rank 1");
  EXPECT_EQ(NameRanks({1}, {"a", "b"}), "rank 1 (host b)");
  EXPECT_EQ(NameRanks({0, 1}, {"a", ""}), "ranks 0 (host a) and 1");
  EXPECT_EQ(NameRanks({0, 1, 2}, {"a"}), "ranks 0 (host a), 1 and 2");
}

TEST(NameRanksTest, OfManyTheFirst) {
  std::vector<int> ranks;
  for (int rank = 0; rank < 64; ++rank) ranks.push_back(rank);
  EXPECT_EQ(NameRanks(ranks, {}), "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 56 more");
}

TEST(CallTextTest, SizesInUnitsThatOneReads) {
  EXPECT_EQ(CallText("an exchange", 12), "an exchange of 12 bytes");
  EXPECT_EQ(CallText("an exchange", 1500), "an exchange of 1.5 kB");
  EXPECT_EQ(CallText("an exchange", 12300000), "an exchange of 12.3 MB");
}

TEST(MissingRanksTest, NamesRankHostCallAndField) {
  const absl::Status status =
      MissingRanks("a broadcast", absl::Seconds(2.5), {1}, {"a", "b"});
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(),
            "rank 1 (host b) did not come to a broadcast within "
            "`collective_timeout`=2.5 seconds: dead, stopped, cut off, or busy "
            "for longer");
}

}  // namespace
}  // namespace continuo
