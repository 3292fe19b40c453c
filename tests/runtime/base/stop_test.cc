// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/stop.h"

#include <signal.h>

#include "gtest/gtest.h"
#include "runtime/base/temporary_files.h"
#include "runtime/files/file.h"
#include "tests/testing/child.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::ChildResult;
using ::continuo::testing::RunChild;
using ::continuo::testing::ScratchDir;

TEST(StopTest, TheFirstSignalIsAcknowledgedAndSetsTheFlag) {
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) {
    const ChildResult result = RunChild([number] {
      const StopFlag& stop = StopOnSignals();
      if (stop) return 1;
      raise(number);
      return stop ? 0 : 2;
    });
    EXPECT_EQ(result.code, 0) << number;
    EXPECT_EQ(result.err, "INFO: stopping; Ctrl-C again ends at once\n");
  }
}

TEST(StopTest, TheLineCanChangeAsTheJobGoesOn) {
  const ChildResult result = RunChild([] {
    SetStopMessage("nothing is saved yet");
    StopOnSignals();
    SetStopMessage("steps after 1200 are lost");
    raise(SIGINT);
    return 0;
  });
  EXPECT_EQ(result.err, "INFO: steps after 1200 are lost\n");
}

TEST(StopTest, TheSecondSignalEndsTheProcessAndRemovesTemporaryFiles) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("temporary"), "x").ok());
  ASSERT_TRUE(WriteFileAtomically(dir.Path("finished"), "x").ok());
  const ChildResult result = RunChild([&] {
    StopOnSignals();
    { const TemporaryName finished(dir.Path("finished")); }
    const TemporaryName temporary(dir.Path("temporary"));
    raise(SIGINT);
    raise(SIGTERM);
    return 0;
  });
  EXPECT_EQ(result.code, 128 + SIGTERM);
  EXPECT_FALSE(FileExists(dir.Path("temporary")));
  EXPECT_TRUE(FileExists(dir.Path("finished")));
}

TEST(StopTest, AnIgnoredHangUpStaysIgnored) {
  const ChildResult result = RunChild([] {
    signal(SIGHUP, SIG_IGN);  // as nohup does
    const StopFlag& stop = StopOnSignals();
    raise(SIGHUP);
    return stop ? 1 : 0;
  });
  EXPECT_EQ(result.code, 0);
}

TEST(StopTest, AStandardErrorWithoutAReaderIsNoHindrance) {
  const ChildResult result = RunChild([] {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    if (pipe(ends) != 0) return 1;
    close(ends[0]);
    dup2(ends[1], STDERR_FILENO);
    const StopFlag& stop = StopOnSignals();
    raise(SIGINT);
    return stop ? 0 : 2;
  });
  EXPECT_EQ(result.code, 0);
}

}  // namespace
}  // namespace continuo
