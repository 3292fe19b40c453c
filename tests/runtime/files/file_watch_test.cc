// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/file_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::ScratchDir;

class FileWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteFileAtomically(path_, std::string(20000, 'x')).ok());
    // Long ago, so that a write now has another time.
    const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
    file_ = *MappedFile::Open(path_);
    watch_ = std::make_unique<FileWatch>(path_, file_->bytes());
  }
  void TearDown() override { watch_.reset(); }

  void Expect(const char* change) {
    const absl::Status status = watch_->Check();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), change)) << status;
    EXPECT_EQ(watch_->IfUnchanged(absl::StatusOr<int>(3)).status(), status);
  }

  ScratchDir dir_;
  std::string path_ = dir_.Path("file");
  std::unique_ptr<MappedFile> file_;
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(FileWatchTest, AFileThatNobodyTouchesIsUnchanged) {
  EXPECT_TRUE(watch_->Check().ok());
  EXPECT_EQ(*watch_->IfUnchanged(absl::StatusOr<int>(3)), 3);
}

TEST_F(FileWatchTest, ATruncatedFileIsReadAsZerosAndNamed) {
  ASSERT_EQ(truncate(path_.c_str(), 10), 0);
  EXPECT_EQ(file_->bytes()[15000], '\0');
  Expect("it had 20000 bytes and has 10 now");
}

TEST_F(FileWatchTest, OneThatWasOverwrittenInPlaceIsNamed) {
  const int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(pwrite(fd, "y", 1, 5), 1);
  close(fd);
  Expect("it was written to at");
}

TEST_F(FileWatchTest, OneThatWasCutAndRestoredIsNamed) {
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  EXPECT_EQ(file_->bytes()[15000], '\0');
  ASSERT_EQ(truncate(path_.c_str(), 20000), 0);
  const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  Expect("cannot be read");
}

TEST_F(FileWatchTest, OneThatIsReplacedByRenameOrRemovedStaysAsItWas) {
  ASSERT_TRUE(WriteFileAtomically(path_, "new").ok());
  EXPECT_TRUE(watch_->Check().ok());
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  EXPECT_TRUE(watch_->Check().ok());
  EXPECT_EQ(file_->bytes()[15000], 'x');
}

TEST(FileWatchOfStreamTest, AStreamDoesNotChange) {
  const std::string bytes = "bytes in memory";
  EXPECT_TRUE(FileWatch("/dev/null", bytes).Check().ok());
  // Which claims to be empty.
  EXPECT_TRUE(FileWatch("/proc/self/stat", bytes).Check().ok());
}

}  // namespace
}  // namespace continuo
