// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <memory>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"
#include "runtime/base/temporary_files.h"
#include "runtime/files/file.h"
#include "tests/testing/child.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::ChildResult;
using ::continuo::testing::RunChild;
using ::continuo::testing::ScratchDir;

TEST(ProcessTest, ClosedStandardDescriptorsAreNotGivenToFiles) {
  const ScratchDir dir;
  const ChildResult result = RunChild([&] {
    for (int fd = 0; fd < 3; ++fd) close(fd);
    PrepareProcess();
    const int file =
        open(dir.Path("file").c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
    LogError("goes nowhere");
    return file >= 3 ? 0 : 1;
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(*ReadFile(dir.Path("file")), "");
}

TEST(ProcessTest, DataForAClosedDescriptorIsAnError) {
  EXPECT_EQ(RunChild([] {
              close(STDIN_FILENO);
              close(STDOUT_FILENO);
              PrepareProcess();
              char byte = 0;
              return write(STDOUT_FILENO, "x", 1) == -1 &&
                             read(STDIN_FILENO, &byte, 1) == -1
                         ? 0
                         : 1;
            }).code,
            0);
}

TEST(ProcessTest, OpenDescriptorsStayAsTheyAre) {
  const ChildResult result = RunChild([] {
    PrepareProcess();
    return write(STDERR_FILENO, "seen", 4) == 4 ? 0 : 1;
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "seen");
}

TEST(ProcessTest, AWriteWithoutAReaderFailsInsteadOfEndingTheProcess) {
  EXPECT_EQ(RunChild([] {
              PrepareProcess();
              int ends[2];
              if (pipe(ends) != 0) return 1;
              close(ends[0]);
              dup2(ends[1], STDERR_FILENO);
              LogInfo("lost");
              return write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
            }).code,
            0);
}

TEST(ProcessTest, AFileBeyondTheLimitOfItsSizeIsAnError) {
  const ScratchDir dir;
  EXPECT_EQ(RunChild([&] {
              PrepareProcess();
              const rlimit limit = {10, 10};
              setrlimit(RLIMIT_FSIZE, &limit);
              const int file =
                  open(dir.Path("file").c_str(), O_WRONLY | O_CREAT, 0644);
              return write(file, "0123456789", 10) == 10 &&
                             write(file, "x", 1) == -1 && errno == EFBIG
                         ? 0
                         : 1;
            }).code,
            0);
}

TEST(ProcessTest, SignalsRemoveTemporaryFiles) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    const ScratchDir dir;
    ASSERT_TRUE(WriteFileAtomically(dir.Path("temporary"), "x").ok());
    const ChildResult result = RunChild([&] {
      PrepareProcess();
      const TemporaryName temporary(dir.Path("temporary"));
      raise(number);
      return 0;
    });
    EXPECT_EQ(result.code, 128 + number);
    EXPECT_FALSE(FileExists(dir.Path("temporary")));
  }
}

TEST(ProcessTest, ExhaustedMemoryIsSaidAndLeavesNothing) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer ends the process by itself";
#endif
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("temporary"), "x").ok());
  const ChildResult result = RunChild([&] {
    PrepareProcess();
    const TemporaryName temporary(dir.Path("temporary"));
    const size_t impossible = SIZE_MAX / 4;
    const auto bytes = std::make_unique_for_overwrite<char[]>(impossible);
    return bytes[0] == 0 ? 2 : 3;
  });
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(absl::StartsWith(result.err, "ERROR: out of memory: "))
      << result.err;
  EXPECT_FALSE(FileExists(dir.Path("temporary")));
}

TEST(ProcessTest, ALibraryThatAbortsIsAnErrorAndLeavesNothing) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("temporary"), "x").ok());
  const ChildResult result = RunChild([&] {
    PrepareProcess();
    const TemporaryName temporary(dir.Path("temporary"));
    std::terminate();
    return 0;
  });
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(absl::StrContains(result.err, "ERROR: a library has ended"))
      << result.err;
  EXPECT_FALSE(FileExists(dir.Path("temporary")));
}

TEST(ProcessTest, ABrokenPipeEndsAFilterQuietly) {
  const ChildResult result = RunChild([] {
    PrepareProcess();
    EndByBrokenPipe();
    return 0;
  });
  EXPECT_EQ(result.code, 128 + SIGPIPE);
  EXPECT_EQ(result.err, "");
}

TEST(ProcessTest, ABrokenInvariantRemovesTemporaryFiles) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("temporary"), "x").ok());
  const ChildResult result = RunChild([&] {
    PrepareProcess();
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const TemporaryName temporary(dir.Path("temporary"));
    CONTINUO_CHECK(dir.Path().empty());
    return 0;
  });
  EXPECT_EQ(result.code, 128 + SIGABRT);
  EXPECT_FALSE(FileExists(dir.Path("temporary")));
}

}  // namespace
}  // namespace continuo
