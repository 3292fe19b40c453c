// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::ScratchDir;

TEST(InputFileTest, StreamsAreWhatHasNoSizeAhead) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "abc").ok());
  ASSERT_TRUE(WriteFileAtomically(dir.Path("empty"), "").ok());
  ASSERT_EQ(mkfifo(dir.Path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(IsStream("-"));
  EXPECT_TRUE(IsStream("/dev/null"));
  EXPECT_TRUE(IsStream(dir.Path("pipe")));
  EXPECT_TRUE(IsStream(dir.Path("empty")));
  EXPECT_FALSE(IsStream(dir.Path("file")));
  EXPECT_FALSE(IsStream(dir.Path()));
  EXPECT_FALSE(IsStream(dir.Path("none")));
}

TEST(InputFileTest, OpensFilesAndStandardInput) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "abc").ok());
  int descriptor = -1;
  {
    auto opened = InputFile::Open(dir.Path("file"));
    ASSERT_TRUE(opened.ok()) << opened.status();
    const InputFile file = *std::move(opened);
    EXPECT_EQ(file.size(), 3);
    EXPECT_EQ(file.name(), dir.Path("file"));
    char bytes[4] = {};
    descriptor = file.descriptor();
    EXPECT_EQ(read(descriptor, bytes, 4), 3);
    EXPECT_EQ(std::string(bytes), "abc");
  }
  EXPECT_EQ(fcntl(descriptor, F_GETFD), -1) << "is still open";
  {
    const auto input = InputFile::Open("-");
    ASSERT_TRUE(input.ok()) << input.status();
    EXPECT_EQ(input->name(), "standard input");
    EXPECT_EQ(input->descriptor(), STDIN_FILENO);
  }
  EXPECT_NE(fcntl(STDIN_FILENO, F_GETFD), -1) << "is not ours to close";
}

TEST(InputFileTest, FoldersAndMissingFilesAreErrorsThatNameThem) {
  const ScratchDir dir;
  const auto folder = InputFile::Open(dir.Path());
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(folder.status().message(), dir.Path()));
  const auto none = InputFile::Open(dir.Path("none"));
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(none.status().message(), dir.Path("none")));
}

TEST(InputFileTest, SystemErrorsHaveTheReason) {
  errno = EACCES;
  const absl::Status status = SystemError("cannot open", "/a");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(absl::StartsWith(status.message(), "/a: cannot open: "))
      << status;
}

}  // namespace
}  // namespace continuo
