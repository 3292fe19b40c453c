// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/rendezvous.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

absl::StatusOr<Rendezvous> Meet(const std::string& folder, int rank, int size,
                                absl::Duration timeout,
                                const std::string& payload = "") {
  return MeetInFolder(folder, {.rank = rank, .size = size}, timeout,
                      [&] { return payload; });
}

TEST(RendezvousTest, AllGetThePayloadOfRankZero) {
  const testing::ScratchDir dir;
  std::set<std::string> nonces;
  for (const std::string& payload :
       {std::string("\0\n x", 4), std::string("2")}) {
    constexpr int kSize = 5;
    std::vector<absl::StatusOr<Rendezvous>> met(kSize, Rendezvous());
    std::vector<std::thread> threads;
    for (int rank = 0; rank < kSize; ++rank) {
      threads.emplace_back([&, rank] {
        // Rank 0 is neither the first nor the last to come.
        absl::SleepFor(absl::Milliseconds(10 * ((rank + 2) % kSize)));
        met[static_cast<size_t>(rank)] =
            Meet(dir.Path("below"), rank, kSize, kLong, payload);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& one : met) {
      ASSERT_TRUE(one.ok()) << one.status();
      EXPECT_EQ(one->payload, payload);
      EXPECT_EQ(one->nonce, met[0]->nonce);
      ASSERT_EQ(one->hosts.size(), size_t{kSize});
      EXPECT_EQ(one->hosts, met[0]->hosts);
      EXPECT_FALSE(one->hosts[0].empty());
    }
    nonces.insert(met[0]->nonce);
  }
  EXPECT_EQ(nonces.size(), 2);
  // Nothing is left.
  EXPECT_FALSE(Glob(dir.Path("below/*")).ok());
}

TEST(RendezvousTest, FilesOfEarlierLaunchesAreNotTaken) {
  const testing::ScratchDir dir;
  // A launch whose rank 1 has asked and was killed; rank 0 has offered.
  ASSERT_TRUE(absl::IsDeadlineExceeded(
      Meet(dir.Path(), 1, 2, absl::Milliseconds(30)).status()));
  ASSERT_TRUE(absl::IsDeadlineExceeded(
      Meet(dir.Path(), 0, 2, absl::Milliseconds(200), "old").status()));
  ASSERT_TRUE(FileExists(dir.Path("request-1")));
  ASSERT_TRUE(FileExists(dir.Path("offer")));
  // The next one, in either order.
  for (const bool zero_first : {true, false}) {
    absl::StatusOr<Rendezvous> other;
    std::thread rank_0([&] {
      if (!zero_first) absl::SleepFor(absl::Milliseconds(100));
      other = Meet(dir.Path(), 0, 2, kLong, "new");
    });
    if (zero_first) absl::SleepFor(absl::Milliseconds(100));
    const auto met = Meet(dir.Path(), 1, 2, kLong);
    rank_0.join();
    ASSERT_TRUE(met.ok()) << met.status();
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ(met->payload, "new");
    EXPECT_EQ(met->nonce, other->nonce);
  }
}

TEST(RendezvousTest, TheMissingAreNamed) {
  const testing::ScratchDir dir;
  const auto met = Meet(dir.Path(), 0, 3, absl::Milliseconds(50));
  EXPECT_TRUE(absl::StrContains(
      met.status().message(),
      absl::StrCat("ranks 1 and 2 did not come to the rendezvous in ",
                   dir.Path(), " within `collective_timeout`=0.05 seconds")))
      << met.status();
  const auto none = Meet(dir.Path(), 2, 3, absl::Milliseconds(50));
  EXPECT_TRUE(absl::StartsWith(none.status().message(), "rank 0 did not come"))
      << none.status();
}

TEST(RendezvousTest, DamagedFilesAreNotTaken) {
  const testing::ScratchDir dir;
  for (const char* text : {"", "\n", "a b\n", "a b\nc d\ne f\n", "\n\n\n"}) {
    ASSERT_TRUE(WriteFileAtomically(dir.Path("offer"), text).ok());
    EXPECT_FALSE(Meet(dir.Path(), 1, 2, absl::Milliseconds(30)).ok());
  }
}

}  // namespace
}  // namespace continuo
