// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/mapped_file.h"

#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/child.h"
#include "tests/testing/fifo.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::FifoWriter;
using ::continuo::testing::MakeFifo;
using ::continuo::testing::RunChild;
using ::continuo::testing::ScratchDir;

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 / 3);
  return bytes;
}

TEST(MappedFileTest, MapsARegularFile) {
  const ScratchDir dir;
  const std::string bytes = Pattern(100000);
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), bytes).ok());
  const auto file = MappedFile::Open(dir.Path("file"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->bytes(), bytes);
  (*file)->Release(50000);
  EXPECT_EQ((*file)->bytes(), bytes);
}

TEST(MappedFileTest, ReadsAPipeToItsEndAndKeepsTheBytes) {
  const ScratchDir dir;
  const std::string bytes = Pattern(5'000'000);  // grows its memory
  MakeFifo(dir.Path("pipe"));
  const FifoWriter writer(dir.Path("pipe"), bytes);
  const auto first = MappedFile::Open(dir.Path("pipe"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE((*first)->bytes() == bytes);
  (*first)->Release(4'000'000);
  EXPECT_TRUE((*first)->bytes() == bytes);
  // Nobody writes a second time.
  const auto again = MappedFile::Open(dir.Path("pipe"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE((*again)->bytes() == bytes);
  EXPECT_TRUE(*ReadFile(dir.Path("pipe")) == bytes);
}

TEST(MappedFileTest, ReadsStandardInput) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "line\nrest").ok());
  for (const char* path : {"-", "/dev/stdin"}) {
    EXPECT_EQ(RunChild([&] {
                int ends[2];
                if (pipe(ends) != 0 || write(ends[1], "piped", 5) != 5)
                  return 1;
                close(ends[1]);
                dup2(ends[0], STDIN_FILENO);
                const auto file = MappedFile::Open(path);
                return file.ok() && (*file)->bytes() == "piped" ? 0 : 2;
              }).code,
              0);
  }
  EXPECT_EQ(RunChild([&] {
              const int file = open(dir.Path("file").c_str(), O_RDONLY);
              dup2(file, STDIN_FILENO);
              char line[5];
              if (read(STDIN_FILENO, line, 5) != 5) return 1;
              return *ReadFile("-") == "rest" ? 0 : 2;
            }).code,
            0);
}

TEST(MappedFileTest, AnEmptyFileOrPipeIsEmpty) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "").ok());
  MakeFifo(dir.Path("pipe"));
  const FifoWriter writer(dir.Path("pipe"), "");
  for (const char* name : {"file", "pipe"}) {
    const auto file = MappedFile::Open(dir.Path(name));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->bytes(), "");
  }
}

TEST(MappedFileTest, AFileThatClaimsNoSizeIsRead) {
  const auto file = MappedFile::Open("/proc/self/status");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(absl::StartsWith((*file)->bytes(), "Name:"));
}

TEST(MappedFileTest, AStreamWithoutEndIsAnError) {
  const auto file = MappedFile::Open("/dev/zero", 10'000'000);
  EXPECT_TRUE(absl::IsResourceExhausted(file.status()));
  EXPECT_EQ(file.status().message(),
            "/dev/zero: is larger than the limit of 10000000 bytes for what "
            "is no regular file");
}

TEST(MappedFileTest, AFolderIsAnError) {
  const ScratchDir dir;
  EXPECT_TRUE(absl::IsInvalidArgument(MappedFile::Open(dir.Path()).status()));
}

}  // namespace
}  // namespace continuo
