// SPDX-License-Identifier: Apache-2.0

#include "data/records/dataset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/records/shards.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/examples.h"
#include "tests/testing/fifo.h"
#include "tests/testing/numbered_examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::kNumberedFormat;
using testing::MustOpenNumbered;
using testing::MustWriteRecords;
using testing::NumberedRange;
using testing::OneHotExample;
using testing::ScratchDir;

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
  const auto dataset = MustOpenNumbered(dir.Path("d-*"));
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
  EXPECT_EQ(MustOpenNumbered(dir.Path("train"))->num_examples(), 3);
  ThreadPool pool(1);
  const absl::Status status =
      Dataset::Open(dir.Path("eval"), kNumberedFormat, &pool).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST(DatasetTest, APipeIsRead) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("file"), NumberedRange(0, 7));
  testing::MakeFifo(dir.Path("pipe"));
  const testing::FifoWriter writer(dir.Path("pipe"),
                                   *ReadFile(dir.Path("file")));
  const auto dataset = MustOpenNumbered(dir.Path("pipe"));
  ASSERT_EQ(dataset->num_examples(), 7);
  EncodedSequence example;
  EXPECT_TRUE(dataset->Read(6, &example).ok());
}

TEST(DatasetTest, ShardsAreReadInOrderOfTheirNames) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d-00001-of-00002"), NumberedRange(3, 7));
  MustWriteRecords(dir.Path("d-00000-of-00002"), NumberedRange(0, 3));
  const auto dataset = MustOpenNumbered(dir.Path("d-*"));
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

TEST(DatasetTest, TheOrderOfExamplesIsThatOfTheShardsNames) {
  const ScratchDir dir;
  for (int i = 0; i < 3; ++i) {
    MustWriteRecords(ShardNames(dir.Path("d"), 3)[i],
                     NumberedRange(2 * i, 2 * i + 2));
  }
  const auto glob = MustOpenNumbered(dir.Path("d-*"));
  for (const std::string& spec :
       {dir.Path("d@3"),
        absl::StrCat(dir.Path("d-00002*"), ",", dir.Path("d-0000[01]*"))}) {
    const auto other = MustOpenNumbered(spec);
    ASSERT_EQ(other->num_examples(), 6);
    EXPECT_EQ(other->ReadBatch({0, 1, 2, 3, 4, 5})->labels,
              glob->ReadBatch({0, 1, 2, 3, 4, 5})->labels);
  }
}

TEST(DatasetTest, AShardWithTheRecordsOfAnotherIsNamed) {
  const ScratchDir dir;
  const std::vector<std::string> names = ShardNames(dir.Path("d"), 3);
  // The same bytes: an example may be serialized in another order next time.
  const std::vector<std::string> records = NumberedRange(0, 40);
  for (const std::string& name : names) MustWriteRecords(name, records);
  MustWriteRecords(names[1], NumberedRange(1, 41));
  ThreadPool pool(1);
  const absl::Status status =
      Dataset::Open(dir.Path("d-*"), kNumberedFormat, &pool).status();
  EXPECT_TRUE(absl::StrContains(
      status.message(),
      absl::StrCat(names[2], ": has the same 40 records as ", names[0])))
      << status;
  MustWriteRecords(names[2], NumberedRange(2, 42));
  EXPECT_EQ(MustOpenNumbered(dir.Path("d-*"))->num_examples(), 120);
}

TEST(DatasetTest, UnigramEntropyIsThatOfTheLabels) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"),
                   {OneHotExample({0, 1, 2, 3}, {1, 1, 1, 4}, 8)});
  const auto dataset = MustOpenNumbered(dir.Path("d"));
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
      Dataset::Open(dir.Path("d"), kNumberedFormat, &pool).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(empty.message(), "`eval_ratio`")) << empty;
  const absl::Status folder =
      Dataset::Open(dir.Path(), kNumberedFormat, &pool).status();
  EXPECT_TRUE(absl::StrContains(folder.message(), "is a folder")) << folder;
  const absl::Status missing =
      Dataset::Open(dir.Path("e*"), kNumberedFormat, &pool).status();
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
        Dataset::Open(dir.Path("d"), kNumberedFormat, &pool).status();
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
    EXPECT_EQ(
        Dataset::Open(dir.Path("d"), kNumberedFormat, &pool).status().code(),
        absl::StatusCode::kDataLoss)
        << i;
    bytes[i] ^= 4;
  }
}

}  // namespace
}  // namespace continuo
