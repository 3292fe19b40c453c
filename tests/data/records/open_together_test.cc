// SPDX-License-Identifier: Apache-2.0

#include "data/records/open_together.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "runtime/collective/in_memory.h"
#include "tests/testing/examples.h"
#include "tests/testing/fifo.h"
#include "tests/testing/numbered_examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::kNumberedFormat;
using testing::MustWriteRecords;
using testing::NumberedRange;
using testing::ScratchDir;

using Opened = absl::StatusOr<std::unique_ptr<Dataset>>;

// What each rank opens; the spec may differ.
std::vector<Opened> OpenAll(const std::vector<std::string>& specs,
                            absl::Duration timeout = absl::Seconds(30)) {
  const auto collectives =
      MakeInMemory(static_cast<int>(specs.size()), {.timeout = timeout});
  std::vector<Opened> opened(specs.size());
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < specs.size(); ++rank) {
    threads.emplace_back([&, rank] {
      ThreadPool pool(1);
      opened[rank] = OpenTogether(specs[rank], kNumberedFormat, &pool,
                                  collectives[rank].get());
    });
  }
  for (std::thread& thread : threads) thread.join();
  return opened;
}

TEST(OpenTogetherTest, OneReadsForAll) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 50));
  const auto opened = OpenAll({dir.Path("d"), dir.Path("d"), dir.Path("d")});
  for (size_t rank = 0; rank < opened.size(); ++rank) {
    ASSERT_TRUE(opened[rank].ok()) << opened[rank].status();
    const Dataset& dataset = **opened[rank];
    EXPECT_EQ(dataset.num_files_not_read(), rank == 0 ? 0 : 1);
    EXPECT_EQ(dataset.num_examples(), 50);
    EXPECT_EQ(dataset.digest(), (*opened[0])->digest());
    EXPECT_EQ(dataset.ReadBatch({49, 7})->labels,
              (*opened[0])->ReadBatch({49, 7})->labels);
  }
}

TEST(OpenTogetherTest, TheErrorOfTheFirstIsThatOfAll) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), {"junk"});
  for (const Opened& opened : OpenAll({dir.Path("d"), dir.Path("d")})) {
    EXPECT_FALSE(opened.ok());
    EXPECT_TRUE(absl::StrContains(opened.status().message(), "record 0"))
        << opened.status();
  }
}

TEST(OpenTogetherTest, OneThatSeesOtherFilesReadsThem) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 50));
  MustWriteRecords(dir.Path("e"), NumberedRange(1, 50));
  const auto opened = OpenAll({dir.Path("d"), dir.Path("e")});
  ASSERT_TRUE(opened[0].ok() && opened[1].ok()) << opened[1].status();
  EXPECT_EQ((*opened[0])->num_examples(), 50);
  EXPECT_EQ((*opened[1])->num_examples(), 49);
  EXPECT_EQ((*opened[1])->num_files_not_read(), 0);
  EXPECT_FALSE((*opened[0])->digest() == (*opened[1])->digest());
}

// The first one opens a pipe that nobody writes to for a while.
TEST(OpenTogetherTest, ReadingMayTakeLongerThanTheTimeout) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 50));
  testing::MakeFifo(dir.Path("pipe"));
  std::thread writer([&] {
    absl::SleepFor(absl::Milliseconds(2000));
    const testing::FifoWriter late(dir.Path("pipe"), *ReadFile(dir.Path("d")));
  });
  const auto opened = OpenAll({dir.Path("pipe"), dir.Path("d")},
                              /*timeout=*/absl::Milliseconds(1500));
  writer.join();
  EXPECT_TRUE(opened[0].ok()) << opened[0].status();
  // It has waited, and has another name for the file.
  ASSERT_TRUE(opened[1].ok()) << opened[1].status();
  EXPECT_EQ((*opened[0])->digest(), (*opened[1])->digest());
}

TEST(OpenTogetherTest, OneProcessNeedsNoOthers) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 5));
  ThreadPool pool(1);
  const auto opened =
      OpenTogether(dir.Path("d"), kNumberedFormat, &pool, nullptr);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)->num_examples(), 5);
}

}  // namespace
}  // namespace continuo
