// SPDX-License-Identifier: Apache-2.0

#include "data/records/tfrecord.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(TfRecordTest, FramesKnownBytes) {
  // Length 3, and the checksums of the published definition.
  const std::string framed = FrameTfRecord("abc");
  ASSERT_EQ(framed.size(), 3 + kTfRecordOverhead);
  int64_t offset = 0;
  auto record = ParseTfRecord(framed, "memory", &offset);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(*record, "abc");
  EXPECT_EQ(offset, static_cast<int64_t>(framed.size()));
}

TEST(TfRecordTest, EndOfFileIsOutOfRange) {
  int64_t offset = 0;
  EXPECT_EQ(ParseTfRecord("", "memory", &offset).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(TfRecordTest, TruncationAtEveryByteIsDataLoss) {
  const std::string framed = FrameTfRecord("some data");
  for (size_t size = 1; size < framed.size(); ++size) {
    int64_t offset = 0;
    EXPECT_EQ(ParseTfRecord(framed.substr(0, size), "memory", &offset)
                  .status()
                  .code(),
              absl::StatusCode::kDataLoss)
        << size;
    EXPECT_EQ(offset, 0);
  }
}

TEST(TfRecordTest, EveryFlippedByteIsDataLoss) {
  const std::string framed = FrameTfRecord("some data");
  for (size_t i = 0; i < framed.size(); ++i) {
    std::string damaged = framed;
    damaged[i] ^= 0x10;
    int64_t offset = 0;
    EXPECT_EQ(ParseTfRecord(damaged, "memory", &offset).status().code(),
              absl::StatusCode::kDataLoss)
        << i;
  }
}

}  // namespace
}  // namespace continuo
