// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/in_memory.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/runtime/collective/collective_cases.h"

namespace continuo {
namespace {

using Ranks = std::vector<std::unique_ptr<Collective>>;

// What `body` returns on a thread for each rank, which then leaves.
std::vector<absl::Status> OnAll(
    Ranks ranks, absl::FunctionRef<absl::Status(Collective&)> body) {
  std::vector<absl::Status> results(ranks.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < ranks.size(); ++r) {
    threads.emplace_back([&, r] {
      results[r] = body(*ranks[r]);
      ranks[r] = nullptr;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

TEST(InMemoryTest, MovesWhatEachRankAsksFor) {
  for (const auto& [size, scale] :
       {std::pair{1, 300}, {2, 300}, {5, 300}, {64, 3}}) {
    std::vector<float> memory(
        static_cast<size_t>(size * testing::CaseFloats(size, scale)));
    const auto results = OnAll(MakeInMemory(size), [&](Collective& ranks) {
      const Stream stream;
      const size_t share = memory.size() / static_cast<size_t>(size);
      return testing::AllCases(
          ranks,
          {.stream = &stream,
           .memory = absl::MakeSpan(memory).subspan(
               share * static_cast<size_t>(ranks.rank()), share)},
          {1, scale});
    });
    for (const absl::Status& result : results)
      EXPECT_TRUE(result.ok()) << result;
  }
}

TEST(InMemoryTest, SumsFromRankZeroOn) {
  const auto results = OnAll(MakeInMemory(3), [](Collective& ranks) {
    const float terms[] = {1e8f, -1e8f, 1.f};
    float sum = terms[ranks.rank()];
    CONTINUO_RETURN_IF_ERROR(ranks.AllReduceSum({}, absl::MakeSpan(&sum, 1)));
    return testing::Unless(sum == 1.f, absl::StrCat(sum));
  });
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << result;
}

TEST(InMemoryTest, NamesTheRanksThatDoNotCome) {
  std::atomic<int> waiting{2};
  const auto results =
      OnAll(MakeInMemory(4, {.timeout = absl::Milliseconds(50)}),
            [&](Collective& ranks) {
              CONTINUO_RETURN_IF_ERROR(ranks.Barrier());
              if (ranks.rank() % 2 == 0) {
                while (waiting > 0) absl::SleepFor(absl::Milliseconds(1));
                return absl::OkStatus();
              }
              const absl::Status status = ranks.Barrier();
              --waiting;
              // And so does every later call.
              EXPECT_EQ(ranks.GatherBytes("").status(), status);
              return status;
            });
  for (const int r : {1, 3}) {
    const absl::Status& result = results[static_cast<size_t>(r)];
    EXPECT_TRUE(absl::IsDeadlineExceeded(result)) << result;
    EXPECT_TRUE(absl::StartsWith(result.message(), "ranks 0 (host ")) << result;
    EXPECT_TRUE(absl::StrContains(result.message(), " and 2 (host ")) << result;
    EXPECT_TRUE(absl::StrContains(result.message(), "`collective_timeout`"))
        << result;
  }
}

TEST(InMemoryTest, ARankThatGivesUpEndsTheOthersWithItsReason) {
  const auto results = OnAll(MakeInMemory(3), [](Collective& ranks) {
    if (ranks.rank() == 1) {
      ranks.Abort(absl::InternalError("the disk is on fire"));
      ranks.Abort(absl::InternalError("so what"));
      return absl::OkStatus();
    }
    return ranks.Barrier();
  });
  EXPECT_TRUE(results[1].ok());
  for (const int r : {0, 2}) {
    const absl::Status& result = results[static_cast<size_t>(r)];
    EXPECT_TRUE(absl::IsAborted(result)) << result;
    EXPECT_TRUE(absl::StartsWith(result.message(), "rank 1 ")) << result;
    EXPECT_TRUE(absl::EndsWith(result.message(), "the disk is on fire"))
        << result;
  }
}

TEST(InMemoryTest, ARankThatLeavesIsNotWaitedFor) {
  const auto results = OnAll(MakeInMemory(2), [](Collective& ranks) {
    return ranks.rank() == 0 ? absl::OkStatus() : ranks.Barrier();
  });
  EXPECT_TRUE(absl::IsAborted(results[1])) << results[1];
  EXPECT_TRUE(absl::StrContains(results[1].message(), "rank 0")) << results[1];
}

TEST(InMemoryTest, CallsThatDifferAreNamed) {
  const auto results = OnAll(MakeInMemory(2), [](Collective& ranks) {
    float number = 0;
    return ranks.rank() == 0
               ? ranks.Barrier()
               : ranks.AllReduceSum({}, absl::MakeSpan(&number, 1));
  });
  for (const absl::Status& result : results) {
    EXPECT_EQ(result.message(),
              "the ranks make different calls: a gathering and an all-reduce "
              "of 4 bytes");
  }
}

TEST(InMemoryTest, SizesThatDifferAreNamed) {
  const auto results = OnAll(MakeInMemory(2), [](Collective& ranks) {
    const std::vector<float> mine(3);
    std::vector<float> theirs(static_cast<size_t>(3 + ranks.rank()));
    const absl::Span<const float> none;
    const absl::Span<float> nothing;
    return ranks.rank() == 0
               ? ranks.Exchange({}, {none, mine},
                                {nothing, absl::MakeSpan(theirs)})
               : ranks.Exchange({}, {mine, none},
                                {absl::MakeSpan(theirs), nothing});
  });
  for (const absl::Status& result : results) {
    EXPECT_EQ(result.message(),
              "rank 0 sends 3 numbers to rank 1, which expects 4");
  }
}

}  // namespace
}  // namespace continuo
