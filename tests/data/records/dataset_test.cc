// SPDX-License-Identifier: Apache-2.0

#include "data/records/dataset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/child.h"
#include "tests/testing/examples.h"
#include "tests/testing/fifo.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::MustWriteRecords;
using testing::OneHotExample;
using testing::ScratchDir;

const ExampleFormat kFormat = {
    .input_size = 8, .head_sizes = {8}, .config = "test_config"};

// Example i has i % 3 + 1 steps, and its first label tells which it is.
std::string Numbered(int i) {
  const int steps = i % 3 + 1;
  std::vector<int64_t> labels(steps, 7);
  labels[0] = i % 7;
  return OneHotExample(std::vector<int>(steps, i % 8), labels, 8);
}

std::unique_ptr<Dataset> MustOpen(const std::string& pattern) {
  ThreadPool pool(2);
  auto dataset = Dataset::Open(pattern, kFormat, &pool);
  CONTINUO_CHECK(dataset.ok());
  return *std::move(dataset);
}

std::vector<std::string> NumberedRange(int begin, int end) {
  std::vector<std::string> records;
  for (int i = begin; i < end; ++i) records.push_back(Numbered(i));
  return records;
}

// Writes into the file as it is, as cp does.
void OverwriteInPlace(const std::string& path, absl::string_view bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  CONTINUO_CHECK(fd >= 0);
  CONTINUO_CHECK(write(fd, bytes.data(), bytes.size()) ==
                 static_cast<ssize_t>(bytes.size()));
  close(fd);
}

TEST(DatasetTest, AFileThatChangesMeanwhileIsNamedAndDoesNoHarm) {
  const ScratchDir dir;
  const std::string path = dir.Path("d-00001-of-00002");
  MustWriteRecords(dir.Path("d-00000-of-00002"), NumberedRange(0, 3));
  MustWriteRecords(path, NumberedRange(3, 2000));
  // Longer ago than a clock's tick.
  const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  const auto dataset = MustOpen(dir.Path("d-*"));
  const std::string bytes = *ReadFile(path);
  ASSERT_TRUE(dataset->ReadBatch({0, 5, 1999}).ok());
  for (const std::string& contents :
       {std::string(), bytes.substr(0, 5000), bytes,
        std::string(bytes.size(), '\0'), bytes + bytes}) {
    OverwriteInPlace(path, contents);
    const absl::Status status = dataset->ReadBatch({0, 5, 1999}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(absl::StrContains(
        status.message(),
        absl::StrCat(path, ": has changed while it was being read")))
        << status;
  }
  EXPECT_TRUE(dataset->ReadBatch({0, 1, 2}).ok());  // of the other file
}

TEST(DatasetTest, AFileOfAnotherSetIsRefused) {
  const ScratchDir dir;
  // Kept: the same example may be serialized in another order next time.
  const std::vector<std::string> records = NumberedRange(0, 3);
  MustWriteRecords(dir.Path("train"), records);
  MustWriteRecords(dir.Path("eval"), NumberedRange(3, 7));
  RecordDigest train;
  for (const std::string& record : records) train.Add(FrameTfRecord(record));
  auto manifest =
      WriteManifest(dir.Path("set"), {{"train", train}, {"eval", train}});
  ASSERT_TRUE(manifest.ok() && (*manifest)->Commit().ok());
  EXPECT_EQ(MustOpen(dir.Path("train"))->num_examples(), 3);
  ThreadPool pool(1);
  const absl::Status status =
      Dataset::Open(dir.Path("eval"), kFormat, &pool).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST(BatchStreamTest, IsTheSameWithoutAThreadToReadAhead) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  EXPECT_EQ(testing::RunChild([&] {
              const auto dataset = MustOpen(dir.Path("d"));
              BatchStream ahead(dataset.get(), 3, /*seed=*/5, {});
              testing::RefuseThreads();
              BatchStream alone(dataset.get(), 3, /*seed=*/5, {});
              for (int i = 0; i < 8; ++i) {
                const auto a = ahead.Next();
                const auto b = alone.Next();
                if (!a.ok() || !b.ok() || a->labels != b->labels ||
                    ahead.position().epoch != alone.position().epoch ||
                    ahead.position().index != alone.position().index) {
                  return 1 + i;
                }
              }
              return 0;
            }).code,
            0);
}

TEST(DatasetTest, APipeIsRead) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("file"), NumberedRange(0, 7));
  testing::MakeFifo(dir.Path("pipe"));
  const testing::FifoWriter writer(dir.Path("pipe"),
                                   *ReadFile(dir.Path("file")));
  const auto dataset = MustOpen(dir.Path("pipe"));
  ASSERT_EQ(dataset->num_examples(), 7);
  EncodedSequence example;
  EXPECT_TRUE(dataset->Read(6, &example).ok());
}

TEST(DatasetTest, ShardsAreReadInOrderOfTheirNames) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d-00001-of-00002"), NumberedRange(3, 7));
  MustWriteRecords(dir.Path("d-00000-of-00002"), NumberedRange(0, 3));
  const auto dataset = MustOpen(dir.Path("d-*"));
  EXPECT_EQ(dataset->num_files(), 2);
  ASSERT_EQ(dataset->num_examples(), 7);
  EXPECT_EQ(dataset->num_events(), 1 + 2 + 3 + 1 + 2 + 3 + 1);
  EXPECT_EQ(dataset->max_steps(), 3);
  EXPECT_EQ(dataset->MaxEvents(2), 6);
  EXPECT_EQ(dataset->MaxEvents(3), 8);
  EXPECT_EQ(dataset->MaxEvents(15), 13 * 2 + 3);
  for (int i = 0; i < 7; ++i) {
    EncodedSequence example;
    ASSERT_TRUE(dataset->Read(i, &example).ok());
    EXPECT_EQ(example.labels[0], i);
    EXPECT_EQ(dataset->num_steps(i), example.inputs.rows());
  }
}

TEST(DatasetTest, UnigramEntropyIsThatOfTheLabels) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"),
                   {OneHotExample({0, 1, 2, 3}, {1, 1, 1, 4}, 8)});
  const auto dataset = MustOpen(dir.Path("d"));
  EXPECT_EQ(dataset->label_counts(),
            (std::vector<int64_t>{0, 3, 0, 0, 1, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(dataset->UnigramEntropy(),
                   -0.75 * std::log(0.75) - 0.25 * std::log(0.25));
}

TEST(DatasetTest, AnEmptySetSaysWhatToDo) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), {});
  ThreadPool pool(1);
  const absl::Status empty =
      Dataset::Open(dir.Path("d"), kFormat, &pool).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(empty.message(), "`eval_ratio`")) << empty;
  const absl::Status folder =
      Dataset::Open(dir.Path(), kFormat, &pool).status();
  EXPECT_TRUE(absl::StrContains(folder.message(), "is a folder")) << folder;
  const absl::Status missing =
      Dataset::Open(dir.Path("e*"), kFormat, &pool).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(missing.message(), dir.Path("e*"))) << missing;
}

TEST(DatasetTest, TheFirstBadRecordIsNamed) {
  const ScratchDir dir;
  std::vector<std::string> records = NumberedRange(0, 300);
  records[123] = OneHotExample({0}, {0}, 5);
  records[299] = "junk";
  MustWriteRecords(dir.Path("d"), records);
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    const absl::Status status =
        Dataset::Open(dir.Path("d"), kFormat, &pool).status();
    EXPECT_TRUE(absl::StrContains(
        status.message(), absl::StrCat(dir.Path("d"),
                                       ": record 123: inputs at step 0: 5 "
                                       "values, but test_config expects 8")))
        << status;
  }
}

TEST(DatasetTest, AFlippedByteIsAnError) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 3));
  std::string bytes = *ReadFile(dir.Path("d"));
  ThreadPool pool(2);
  for (size_t i = 0; i < bytes.size(); i += 5) {
    bytes[i] ^= 4;
    ASSERT_TRUE(WriteFileAtomically(dir.Path("d"), bytes).ok());
    EXPECT_EQ(Dataset::Open(dir.Path("d"), kFormat, &pool).status().code(),
              absl::StatusCode::kDataLoss)
        << i;
    bytes[i] ^= 4;
  }
}

TEST(EpochOrderTest, IsAPermutationOfSeedAndEpoch) {
  const std::vector<int64_t> order = EpochOrder(100, 5, 0);
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sorted[i], i);
  EXPECT_EQ(order, EpochOrder(100, 5, 0));
  EXPECT_NE(order, EpochOrder(100, 5, 1));
  EXPECT_NE(order, EpochOrder(100, 6, 0));
  EXPECT_TRUE(EpochOrder(0, 1, 0).empty());
}

// The first labels of a batch's rows in the order they were drawn.
std::vector<int64_t> Drawn(const PackedBatch& batch) {
  std::vector<int64_t> drawn(batch.num_rows());
  for (int row = 0; row < batch.num_rows(); ++row) {
    drawn[batch.source[row]] = batch.labels[row];
  }
  return drawn;
}

TEST(BatchStreamTest, EveryExampleOncePerEpochInFullBatches) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  const auto dataset = MustOpen(dir.Path("d"));
  for (int batch_size : {1, 3, 7, 16}) {
    BatchStream stream(dataset.get(), batch_size, /*seed=*/11, {});
    std::vector<int64_t> drawn;
    while (drawn.size() < 28) {
      const auto batch = stream.Next();
      ASSERT_TRUE(batch.ok());
      ASSERT_EQ(batch->num_rows(), batch_size);
      for (int64_t label : Drawn(*batch)) drawn.push_back(label);
      const int64_t count = static_cast<int64_t>(drawn.size());
      EXPECT_EQ(stream.position().epoch * 7 + stream.position().index, count);
    }
    for (int epoch = 0; epoch < 4; ++epoch) {
      const std::vector<int64_t> one(drawn.begin() + 7 * epoch,
                                     drawn.begin() + 7 * (epoch + 1));
      EXPECT_EQ(one, EpochOrder(7, 11, epoch));
      EXPECT_EQ(std::set<int64_t>(one.begin(), one.end()).size(), 7);
    }
  }
}

TEST(BatchStreamTest, ContinuesWhereAnotherStreamStopped) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  const auto dataset = MustOpen(dir.Path("d"));
  BatchStream whole(dataset.get(), 4, /*seed=*/3, {});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(whole.Next().ok());
  const DataPosition position = whole.position();
  BatchStream rest(dataset.get(), 4, /*seed=*/3, position);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Drawn(*rest.Next()), Drawn(*whole.Next()));
    EXPECT_EQ(rest.position(), whole.position());
  }
}

}  // namespace
}  // namespace continuo
