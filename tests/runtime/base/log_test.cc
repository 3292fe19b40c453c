// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/log.h"

#include <signal.h>

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/base/log_rewriter.h"
#include "tests/testing/child.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::ChildResult;
using ::continuo::testing::RunChild;

// What a process that logs at each level says on standard error.
std::string Logged(const std::string& least) {
  return RunChild([&least] {
           if (!SetLogLevel(least).ok()) return 1;
           LogDebug("step ", 1);
           LogInfo("step ", 2);
           LogWarn("step ", 3);
           LogError("step ", 4);
           return 0;
         })
      .err;
}

TEST(LogTest, SaysWhatIsAtLeastAsSevereAsAsked) {
  const std::string warn = "WARN: step 3\n";
  const std::string error = "ERROR: step 4\n";
  const std::string info = "INFO: step 2\n";
  EXPECT_EQ(Logged("DEBUG"), "DEBUG: step 1\n" + info + warn + error);
  EXPECT_EQ(Logged("INFO"), info + warn + error);
  EXPECT_EQ(Logged("ERROR"), error);
  EXPECT_EQ(Logged("FATAL"), "");
}

TEST(LogTest, OtherLevelsAreErrorsThatListThemAll) {
  const LogLevel before = MinLogLevel();
  for (const char* name : {"", "info", "LOUD"}) {
    const absl::Status status = SetLogLevel(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    for (const char* level : {"DEBUG", "INFO", "WARN", "ERROR", "FATAL"}) {
      EXPECT_TRUE(absl::StrContains(status.message(), level)) << status;
    }
  }
  EXPECT_EQ(MinLogLevel(), before);
}

TEST(LogTest, AProcessOfSeveralHasANameAndAFile) {
  const testing::ScratchDir dir;
  const std::string path = dir.Path("log");
  const ChildResult result = RunChild([&path] {
    SetLogName("rank 3");
    if (!SetLogLevel("WARN").ok() || !AppendLogTo(path).ok()) return 1;
    LogDebug("step ", 1);
    LogInfo("step ", 2);
    LogWarn("step ", 3);
    return 0;
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "WARN: rank 3: step 3\n");
  EXPECT_EQ(testing::MustRead(path),
            "INFO: rank 3: step 2\nWARN: rank 3: step 3\n");
  // What is there stays.
  EXPECT_EQ(RunChild([&path] {
              if (!AppendLogTo(path).ok()) return 1;
              LogInfo("again");
              return 0;
            }).code,
            0);
  EXPECT_EQ(testing::MustRead(path),
            "INFO: rank 3: step 2\nWARN: rank 3: step 3\nINFO: again\n");
  const absl::Status status = AppendLogTo(dir.Path("no/log"));
  EXPECT_TRUE(absl::StrContains(status.message(), dir.Path("no/log")))
      << status;
}

TEST(LogTest, BrokenInvariantEndsTheProcessAndSaysWhere) {
  const ChildResult result = RunChild([] {
    CONTINUO_CHECK(1 + 1 == 2);
    CONTINUO_CHECK(1 + 1 == 3);
    return 0;
  });
  EXPECT_EQ(result.code, 128 + SIGABRT);
  EXPECT_TRUE(absl::StrContains(result.err, "log_test.cc:")) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "1 + 1 == 3")) << result.err;
}

}  // namespace
}  // namespace continuo
