// SPDX-License-Identifier: Apache-2.0

#include "data/records/file_index.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/threads.h"
#include "runtime/files/mapped_file.h"
#include "tests/testing/examples.h"
#include "tests/testing/numbered_examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::kNumberedFormat;
using testing::MustWriteRecords;
using testing::NumberedRange;
using testing::ScratchDir;

// 200 examples and their index.
class FileIndexTest : public ::testing::Test {
 protected:
  FileIndexTest() : pool_(2) {
    MustWriteRecords(dir_.Path("d"), NumberedRange(0, 200));
    file_ = *MappedFile::Open(dir_.Path("d"));
    index_ = *FileIndex::Scan(*file_, kNumberedFormat, &pool_);
    size_ = static_cast<int64_t>(file_->bytes().size());
  }

  ScratchDir dir_;
  ThreadPool pool_;
  std::unique_ptr<MappedFile> file_;
  FileIndex index_;
  int64_t size_ = 0;
};

TEST_F(FileIndexTest, FindsEachRecord) {
  ASSERT_EQ(index_.num_records(), 200);
  EXPECT_EQ(index_.max_steps(), 3);
  EXPECT_EQ(index_.num_events(), 67 * 1 + 67 * 2 + 66 * 3);
  EXPECT_EQ(index_.digest().bytes, size_);
  EncodedSequence example;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(ReadIndexed(*file_, index_, i, kNumberedFormat, &example).ok());
    EXPECT_EQ(example.labels[0], i % 7);
    EXPECT_EQ(index_.steps(i), i % 3 + 1);
  }
  EXPECT_TRUE(CheckSample(*file_, index_, kNumberedFormat).ok());
}

TEST_F(FileIndexTest, ComesBackFromBytes) {
  const std::string bytes = index_.Serialize();
  const auto parsed = FileIndex::Parse(bytes, size_, kNumberedFormat);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->Serialize(), bytes);
  EXPECT_EQ(parsed->label_counts(), index_.label_counts());
  EXPECT_EQ(parsed->digest(), index_.digest());
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(parsed->offset(i), index_.offset(i));
    EXPECT_EQ(parsed->steps(i), index_.steps(i));
  }
}

TEST_F(FileIndexTest, BytesThatFitNoSuchFileAreRefused) {
  std::string bytes = index_.Serialize();
  EXPECT_FALSE(FileIndex::Parse(bytes, size_ + 1, kNumberedFormat).ok());
  EXPECT_FALSE(FileIndex::Parse("", size_, kNumberedFormat).ok());
  ExampleFormat other = kNumberedFormat;
  other.head_sizes = {4, 4};
  EXPECT_FALSE(FileIndex::Parse(bytes, size_, other).ok());
  // Every length, and a bit of every byte but those of the checksum of the
  // file, which the manifest is compared with. What passes is an index whose
  // sums are right; reading by it is safe and finds what is wrong.
  for (size_t end = 0; end < bytes.size(); ++end) {
    EXPECT_FALSE(
        FileIndex::Parse(bytes.substr(0, end), size_, kNumberedFormat).ok());
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i >= 16 && i < 20) continue;
    bytes[i] ^= 1;
    EXPECT_FALSE(FileIndex::Parse(bytes, size_, kNumberedFormat).ok()) << i;
    bytes[i] ^= 1;
  }
}

TEST_F(FileIndexTest, AnIndexOfOtherRecordsIsNoticedInReading) {
  // As long together, in another order.
  std::vector<std::string> records = NumberedRange(0, 200);
  std::swap(records[0], records[2]);
  MustWriteRecords(dir_.Path("other"), records);
  const auto other = *MappedFile::Open(dir_.Path("other"));
  ASSERT_EQ(other->bytes().size(), file_->bytes().size());
  EncodedSequence example;
  EXPECT_TRUE(absl::IsDataLoss(
      ReadIndexed(*other, index_, 0, kNumberedFormat, &example)));
  EXPECT_TRUE(absl::IsDataLoss(
      ReadIndexed(*other, index_, 1, kNumberedFormat, &example)));
  EXPECT_TRUE(ReadIndexed(*other, index_, 3, kNumberedFormat, &example).ok());
  EXPECT_TRUE(absl::IsDataLoss(CheckSample(*other, index_, kNumberedFormat)));
}

TEST_F(FileIndexTest, AnEmptyFileHasNoRecords) {
  MustWriteRecords(dir_.Path("empty"), {});
  const auto file = *MappedFile::Open(dir_.Path("empty"));
  const auto index = FileIndex::Scan(*file, kNumberedFormat, &pool_);
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(index->num_records(), 0);
  EXPECT_TRUE(CheckSample(*file, *index, kNumberedFormat).ok());
  EXPECT_TRUE(FileIndex::Parse(index->Serialize(), 0, kNumberedFormat).ok());
}

}  // namespace
}  // namespace continuo
