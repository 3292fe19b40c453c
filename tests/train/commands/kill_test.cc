// SPDX-License-Identifier: Apache-2.0

// kill -9 at random moments: the run ends with the same bytes as one that was
// never killed. CONTINUO_KILLS sets how often it is killed.

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

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
using testing::Result;
using testing::RunFlags;
using testing::RunToEnd;
using testing::ScratchDir;
using testing::Start;

constexpr int kSteps = 200;

// A checkpoint every third step, so that many kills fall into the writing.
std::vector<std::string> Flags(const ScratchDir& dir) {
  return RunFlags(dir, {absl::StrCat("--num_training_steps=", kSteps),
                        "--save_checkpoint_steps=3", "--num_checkpoints=2"});
}

std::string LastIndex(const ScratchDir& dir) {
  return testing::MustRead(
      dir.Path(absl::StrCat("run/train/model.ckpt-", kSteps, ".index")));
}

std::string LastData(const ScratchDir& dir) {
  return testing::MustRead(dir.Path(
      absl::StrCat("run/train/model.ckpt-", kSteps, ".data-00000-of-00001")));
}

TEST(KillTest, AKilledRunEndsWithTheBytesOfOneThatWasNot) {
  const ScratchDir undisturbed;
  const absl::Time begin = absl::Now();
  const Process whole = Start(undisturbed, Flags(undisturbed));
  ASSERT_TRUE(testing::WaitForStep(undisturbed, 0));
  const absl::Duration startup = absl::Now() - begin;
  ASSERT_EQ(whole.Wait(), 0) << testing::MustRead(whole.output);
  const absl::Duration training = absl::Now() - begin - startup;

  const char* given = std::getenv("CONTINUO_KILLS");
  int kills = 4;
  if (given != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(given, &kills)) << given;
  }
  const ScratchDir dir;
  std::mt19937 random(20240601);
  // On average half of the run has passed after the last kill; it may come
  // while the program starts, computes or writes. The undisturbed run may have
  // been slower, when the machine had more to do: a run that ends before it is
  // killed begins anew, with earlier kills.
  std::uniform_real_distribution<double> share(0, 1);
  absl::Duration latest = startup + training / kills;
  int killed = 0;
  for (int attempts = 0; killed < kills; ++attempts) {
    ASSERT_LT(attempts, kills + 20);
    const absl::Duration moment = share(random) * latest;
    const Process process = Start(dir, Flags(dir));
    absl::SleepFor(moment);
    kill(process.pid, SIGKILL);
    const int code = process.Wait();
    if (code == 128 + SIGKILL) {
      ++killed;
    } else {
      ASSERT_EQ(code, 0) << testing::MustRead(process.output);
      std::filesystem::remove_all(dir.Path("run"));
      latest /= 2;
    }
  }
  RecordProperty("kills", killed);
  const Result end = RunToEnd(dir, Flags(dir));
  ASSERT_EQ(end.code, 0) << end.output;
  EXPECT_EQ(LastIndex(dir), LastIndex(undisturbed));
  EXPECT_TRUE(LastData(dir) == LastData(undisturbed));
  // Each reported step is logged once, in order.
  int64_t last = 0;
  for (const auto& line :
       testing::ReadJsonLines(dir.Path("run/train/log.jsonl"))) {
    EXPECT_GT(line["step"].get<int64_t>(), last);
    last = line["step"].get<int64_t>();
  }
}

}  // namespace
}  // namespace continuo
