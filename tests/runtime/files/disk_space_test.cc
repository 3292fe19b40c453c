// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/disk_space.h"

#include <errno.h>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

TEST(DiskSpaceTest, IsKnownWhereThePathExists) {
  EXPECT_TRUE(FreeDiskSpace("/").has_value());
  EXPECT_FALSE(FreeDiskSpace("/nowhere/at/all").has_value());
}

TEST(DiskSpaceTest, AFullDiskIsToldFromOtherThingsThatRunOut) {
  for (const int error : {ENOSPC, EDQUOT}) {
    const absl::Status status = WriteError(error, "x: cannot write");
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_TRUE(IsDiskFull(status)) << status;
    EXPECT_TRUE(IsDiskFull(Annotate(status, "a record"))) << status;
  }
  const absl::Status descriptors = WriteError(EMFILE, "x: cannot open");
  EXPECT_TRUE(absl::IsResourceExhausted(descriptors)) << descriptors;
  EXPECT_FALSE(IsDiskFull(descriptors));
  EXPECT_FALSE(IsDiskFull(absl::OkStatus()));
}

TEST(DiskSpaceTest, AWriteToAFullDeviceSaysSo) {
  EXPECT_TRUE(IsDiskFull(WriteFileAtomically("/dev/full", "x")));
}

TEST(DiskSpaceTest, SizesHaveThreeDigits) {
  EXPECT_EQ(BytesToText(0), "0 bytes");
  EXPECT_EQ(BytesToText(999), "999 bytes");
  EXPECT_EQ(BytesToText(1000), "1.00 kB");
  EXPECT_EQ(BytesToText(9996), "10.0 kB");
  EXPECT_EQ(BytesToText(99960), "100 kB");
  EXPECT_EQ(BytesToText(999700), "1.00 MB");
  EXPECT_EQ(BytesToText(17.6e9), "17.6 GB");
  EXPECT_EQ(BytesToText(2.5e12), "2.50 TB");
}

}  // namespace
}  // namespace continuo
