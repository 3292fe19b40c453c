// SPDX-License-Identifier: Apache-2.0

// continuo_self_check as a user runs it.

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/device/device.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

struct Outcome {
  int status = 0;
  std::string output, errors;
};

Outcome SelfCheckCommand(const std::string& flags) {
  const testing::ScratchDir dir;
  const std::string output = dir.Path("out");
  const std::string errors = dir.Path("err");
  const std::string command =
      absl::StrCat(testing::ShellCommand("continuo_self_check"), " ", flags,
                   " >", output, " 2>", errors);
  const int status = WEXITSTATUS(std::system(command.c_str()));
  return {status, testing::MustRead(output), testing::MustRead(errors)};
}

TEST(SelfCheckCommandTest, PrintsATableOfWhatItCompared) {
  const auto count = CountCudaDevices();
  if (!count.ok()) GTEST_SKIP() << count.status().message();
  const Outcome outcome = SelfCheckCommand("--units=17 --precision=tf32");
  EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
  for (const char* operation :
       {"Gemm", "LstmForward and LstmBackward, 17 units", "Dropout"}) {
    EXPECT_TRUE(absl::StrContains(outcome.output, operation)) << operation;
  }
  EXPECT_FALSE(absl::StrContains(outcome.output, "cuDNN"));
  EXPECT_TRUE(absl::StrContains(
      SelfCheckCommand("--units=17 --rnn_backend=cudnn").output,
      "LSTM layer by cuDNN, 17 units"));
}

TEST(SelfCheckCommandTest, RefusalsNameTheFlag) {
  const struct {
    const char* flags;
    const char* message;
  } cases[] = {{"--device=cpu", "--device: the CPU"},
               {"--units=12,x", "--units=12,x"},
               {"--units=0", "--units=0"},
               {"--precision=half", "--precision=half"}};
  for (const auto& [flags, message] : cases) {
    const Outcome outcome = SelfCheckCommand(flags);
    EXPECT_EQ(outcome.status, 1) << flags;
    EXPECT_TRUE(absl::StrContains(outcome.errors, message)) << outcome.errors;
  }
}

}  // namespace
}  // namespace continuo
