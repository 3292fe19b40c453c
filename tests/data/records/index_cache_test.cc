// SPDX-License-Identifier: Apache-2.0

#include "data/records/index_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/threads.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/file.h"
#include "runtime/files/little_endian.h"
#include "tests/testing/examples.h"
#include "tests/testing/numbered_examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::kNumberedFormat;
using testing::MustWriteRecords;
using testing::NumberedRange;
using testing::ScratchDir;

constexpr OpenDatasetOptions kKeepAll = {.min_kept_bytes = 0};

void SetTime(const std::string& path, int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

// A data set in one file, written long ago.
class IndexCacheTest : public ::testing::Test {
 protected:
  IndexCacheTest() : path_(dir_.Path("d")), pool_(2) {
    Write(NumberedRange(0, 300));
  }

  void Write(const std::vector<std::string>& records) {
    MustWriteRecords(path_, records);
    SetTime(path_, 1'000'000'000);
  }

  std::unique_ptr<Dataset> Open(const OpenDatasetOptions& options = kKeepAll) {
    auto dataset = Dataset::Open(path_, kNumberedFormat, &pool_, options);
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    return dataset.ok() ? *std::move(dataset) : nullptr;
  }

  // The error of opening the data set and reading it.
  absl::Status OpenAndRead() {
    auto dataset = Dataset::Open(path_, kNumberedFormat, &pool_, kKeepAll);
    if (!dataset.ok()) return dataset.status();
    EncodedSequence example;
    for (int64_t i = 0; i < (*dataset)->num_examples(); ++i) {
      const absl::Status status = (*dataset)->Read(i, &example);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string Kept() const { return *ReadFile(IndexPath(path_)); }

  ScratchDir dir_;
  std::string path_;
  ThreadPool pool_;
};

TEST_F(IndexCacheTest, TheSecondOpeningReadsNoFile) {
  const auto first = Open();
  EXPECT_EQ(first->num_files_not_read(), 0);
  const auto second = Open();
  EXPECT_EQ(second->num_files_not_read(), 1);
  EXPECT_EQ(second->num_examples(), first->num_examples());
  EXPECT_EQ(second->num_events(), first->num_events());
  EXPECT_EQ(second->max_steps(), first->max_steps());
  EXPECT_EQ(second->label_counts(), first->label_counts());
  EXPECT_EQ(second->MaxEvents(7), first->MaxEvents(7));
  for (int64_t i = 0; i < 300; ++i) {
    EXPECT_EQ(second->num_steps(i), first->num_steps(i));
  }
  const auto a = first->ReadBatch({5, 299, 0});
  const auto b = second->ReadBatch({5, 299, 0});
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->labels, b->labels);
  EXPECT_EQ(a->inputs.index, b->inputs.index);
}

TEST_F(IndexCacheTest, SmallFilesAndThoseJustWrittenHaveNone) {
  Open({});
  EXPECT_FALSE(FileExists(IndexPath(path_)));
  Open({.min_kept_bytes = -1});
  EXPECT_FALSE(FileExists(IndexPath(path_)));
  MustWriteRecords(path_, NumberedRange(0, 300));  // now
  Open();
  EXPECT_FALSE(FileExists(IndexPath(path_)));
  EXPECT_EQ(Open()->num_files_not_read(), 0);
}

TEST_F(IndexCacheTest, AnotherStateOfTheFileIsReadAgain) {
  Open();
  const std::string old = Kept();
  // As large, at another time.
  std::vector<std::string> records = NumberedRange(0, 300);
  std::swap(records[10], records[11]);
  MustWriteRecords(path_, records);
  SetTime(path_, 1'000'000'001);
  EXPECT_EQ(Open()->num_files_not_read(), 0);
  EXPECT_NE(Kept(), old);
  EXPECT_EQ(Open()->num_files_not_read(), 1);
  // Larger, at the same time.
  Write(NumberedRange(0, 301));
  EXPECT_EQ(Open()->num_examples(), 301);
}

TEST_F(IndexCacheTest, AnotherConfigurationReadsTheFileAgain) {
  Open();
  ExampleFormat other = kNumberedFormat;
  other.head_sizes = {9};
  const auto dataset = Dataset::Open(path_, other, &pool_, kKeepAll);
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ((*dataset)->num_files_not_read(), 0);
  EXPECT_EQ((*dataset)->label_counts().size(), 9);
}

TEST_F(IndexCacheTest, ADamagedOneIsMadeAnew) {
  Open();
  const std::string good = Kept();
  std::vector<std::string> damaged = {"", "CXI1", good + "x", good + good,
                                      std::string(good.size(), '\0')};
  for (size_t i = 0; i < good.size(); i += 197) {
    damaged.push_back(good.substr(0, i));
    damaged.push_back(good);
    damaged.back()[i] ^= 0x10;
  }
  for (const std::string& bytes : damaged) {
    ASSERT_TRUE(
        WriteFileAtomically(IndexPath(path_), bytes, Durability::kUnsynced)
            .ok());
    EXPECT_EQ(Open()->num_files_not_read(), 0);
    EXPECT_EQ(Kept(), good);
  }
}

TEST_F(IndexCacheTest, WhatIsNoFileIsLeftAlone) {
  ASSERT_EQ(mkfifo(IndexPath(path_).c_str(), 0600), 0);
  EXPECT_EQ(Open()->num_examples(), 300);
  std::filesystem::remove(IndexPath(path_));
  ASSERT_TRUE(WriteFileAtomically(dir_.Path("valuable"), "x").ok());
  std::filesystem::create_symlink(dir_.Path("valuable"), IndexPath(path_));
  EXPECT_EQ(Open()->num_examples(), 300);
  EXPECT_EQ(*ReadFile(dir_.Path("valuable")), "x");
}

// Bytes with another content and the right checksum.
TEST_F(IndexCacheTest, AHostileOneCannotMakeReadingUnsafe) {
  Open();
  const std::string good = Kept();
  const absl::string_view content =
      absl::string_view(good).substr(0, good.size() - 4);
  int made_anew = 0;
  for (size_t i = 0; i < content.size(); i += i < 100 ? 1 : 13) {
    for (const char bit : {1, 64}) {
      std::string bytes(content);
      bytes[i] ^= bit;
      AppendLittleEndian(MaskedCrc32c(bytes), 4, &bytes);
      ASSERT_TRUE(
          WriteFileAtomically(IndexPath(path_), bytes, Durability::kUnsynced)
              .ok());
      const absl::Status status = OpenAndRead();
      EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
      if (Kept() == good) ++made_anew;
    }
  }
  EXPECT_GT(made_anew, 0);
}

TEST_F(IndexCacheTest, DamageThatLeavesNoTraceIsFoundInReading) {
  Open();
  std::string bytes = *ReadFile(path_);
  const auto index = UnpackIndex(Kept(), *StampOf(path_), kNumberedFormat);
  ASSERT_TRUE(index.ok());
  bytes[index->offset(100) + 20] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(path_, bytes).ok());
  SetTime(path_, 1'000'000'000);
  const auto dataset = Open();
  EXPECT_EQ(dataset->num_files_not_read(), 1);
  EncodedSequence example;
  EXPECT_TRUE(dataset->Read(99, &example).ok());
  const absl::Status status = dataset->Read(100, &example);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
  // Without the index it is found at once.
  std::filesystem::remove(IndexPath(path_));
  EXPECT_TRUE(absl::IsDataLoss(OpenAndRead()));
}

TEST_F(IndexCacheTest, WhereNothingCanBeWrittenItIsInMemory) {
  // A folder in its place cannot be replaced, by whomever.
  ASSERT_TRUE(MakeDirectories(IndexPath(path_)).ok());
  const auto dataset = Open();
  EXPECT_EQ(dataset->num_examples(), 300);
  EXPECT_EQ(dataset->num_files_not_read(), 0);
}

TEST_F(IndexCacheTest, OtherProcessesTakeTheIndexOfOne) {
  const auto first = Open({.min_kept_bytes = -1});
  const std::string index = first->SerializeIndex();
  const std::vector<int64_t> labels = first->ReadBatch({299, 3})->labels;
  SetTime(path_, 1'000'000'005);  // of another host's file system
  const auto second = Open({.index = index});
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->num_files_not_read(), 1);
  EXPECT_EQ(second->label_counts(), first->label_counts());
  EXPECT_EQ(second->ReadBatch({299, 3})->labels, labels);
  for (const std::string& bad :
       {index.substr(0, index.size() - 1), index + index, std::string("x"),
        std::string(8, '\xff')}) {
    EXPECT_TRUE(absl::IsDataLoss(
        Dataset::Open(path_, kNumberedFormat, &pool_, {.index = bad})
            .status()));
  }
  Write(NumberedRange(0, 301));
  const absl::Status status =
      Dataset::Open(path_, kNumberedFormat, &pool_, {.index = index}).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
}

}  // namespace
}  // namespace continuo
