// SPDX-License-Identifier: Apache-2.0

// An evaluation follows a training that saves a checkpoint every second: no
// read fails. CONTINUO_SIDE_BY_SIDE_SECONDS sets how long.

#include <signal.h>

#include <cstdlib>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/commands/train_process.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

using testing::Process;
using testing::RunFlags;
using testing::ScratchDir;
using testing::Start;

TEST(SideBySideTest, NoReadFails) {
  const char* given = std::getenv("CONTINUO_SIDE_BY_SIDE_SECONDS");
  int seconds = 600;
  if (given != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(given, &seconds)) << given;
  }
  const ScratchDir dir;
  const Process training =
      Start(dir, RunFlags(dir, {"--save_checkpoint_secs=1", "--log=WARN",
                                "--summary_frequency=1000", "--threads=1"}));
  const ScratchDir eval_dir;
  const Process eval = Start(
      eval_dir, {"--eval", "--eval_interval_secs=0", "--threads=1",
                 absl::StrCat("--run_dir=", dir.Path("run")),
                 absl::StrCat("--sequence_example_file=", dir.Path("data"))});
  const absl::Time begin = absl::Now();
  while (absl::Now() - begin < absl::Seconds(seconds)) {
    absl::SleepFor(absl::Milliseconds(100));
    ASSERT_EQ(kill(training.pid, 0), 0);
  }
  ASSERT_EQ(kill(eval.pid, SIGTERM), 0);
  EXPECT_EQ(eval.Wait(), 0);
  ASSERT_EQ(kill(training.pid, SIGTERM), 0);
  EXPECT_EQ(training.Wait(), 0) << testing::MustRead(training.output);
  // That it is stopping is said whatever `--log` is.
  for (const Process* process : {&training, &eval}) {
    const std::string log = testing::MustRead(process->output);
    EXPECT_FALSE(absl::StrContains(log, "WARN:")) << log;
    EXPECT_FALSE(absl::StrContains(log, "ERROR:")) << log;
  }
  std::set<int64_t> steps;
  for (const auto& line :
       testing::ReadJsonLines(dir.Path("run/eval/log.jsonl"))) {
    EXPECT_TRUE(steps.insert(line["step"].get<int64_t>()).second) << line;
  }
  // A look each second finds a new checkpoint nearly every time.
  EXPECT_GE(static_cast<int>(steps.size()), seconds / 4);
  RecordProperty("evaluations", static_cast<int>(steps.size()));
}

}  // namespace
}  // namespace continuo
