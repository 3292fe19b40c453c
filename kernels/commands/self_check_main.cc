// SPDX-License-Identifier: Apache-2.0

// continuo_self_check: whether a GPU computes what the CPU computes.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "kernels/self_check/self_check.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/command/command_line.h"
#include "runtime/command/compute_options.h"
#include "runtime/command/flag_names.h"
#include "runtime/command/log_flags.h"
#include "runtime/device/device.h"

ABSL_FLAG(std::string, device, "cuda", "The device to check: cuda or cuda:N");
ABSL_FLAG(std::string, precision, "fp32",
          "What products compute with there: fp32, tf32 or bf16. Each has its "
          "own tolerance");
ABSL_FLAG(std::string, rnn_form, "auto",
          "Form of the recurrent operations: auto, stepwise or persistent");
ABSL_FLAG(std::string, rnn_backend, "auto",
          "Whose LSTM layers are checked: fused, or also those of cudnn; auto "
          "is fused");
ABSL_FLAG(std::string, units, "33,128,256,512",
          "Sizes of the recurrent layers that are probed");

namespace continuo {
namespace {

constexpr char kAbout[] =
    R"(Compares every operation of a GPU with the CPU, in about a second.

  continuo_self_check
  continuo_self_check --device=cuda:1 --precision=bf16

Each operation that training and generation put on the device runs on a small
problem there and on the CPU. The table shows the largest difference, over the
largest value that was compared, and how much is allowed at this precision (0
for what is moved, counted or chosen: it must be equal). The train commands do
the same before they begin (--noself_check leaves it out).

A difference means that this machine computes wrong: suspect the driver, the
CUDA libraries, the GPU's memory or an overclocked GPU, and a defect of this
program. --log=DEBUG shows which form of the recurrent operations was taken.)";

CommandHelp Help() {
  return {.about = kAbout,
          .own_file = "kernels/commands/self_check_main.cc",
          .groups = {{"What is compared",
                      HelpLevel::kCommon,
                      {"device=cuda|cuda:N", "precision=fp32|tf32|bf16",
                       "units=N,N,...", "rnn_form=auto|persistent|stepwise",
                       "rnn_backend=auto|fused|cudnn", "log=LEVEL"}}},
          .after =
              "Exit status: 0 when all results match the CPU's; 1 for a "
              "difference, a failure,\nwrong flags, or no such device."};
}

absl::StatusOr<std::vector<int>> ParseUnits() {
  const std::string text = absl::GetFlag(FLAGS_units);
  std::vector<int> units;
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    int value = 0;
    if (!absl::SimpleAtoi(word, &value) || value < 1 || value > 2048) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--units=", text, ": expected sizes in 1..2048, as in 128,512"));
    }
    units.push_back(value);
  }
  return units;
}

absl::Status Run() {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<int> units, ParseUnits());
  CONTINUO_ASSIGN_OR_RETURN(
      const ComputeOptions options,
      ParseComputeOptions(absl::GetFlag(FLAGS_precision),
                          absl::GetFlag(FLAGS_rnn_form),
                          absl::GetFlag(FLAGS_rnn_backend)));
  CONTINUO_ASSIGN_OR_RETURN(const Device device,
                            ParseDevice(absl::GetFlag(FLAGS_device)));
  if (device.type == DeviceType::kCpu) {
    return absl::InvalidArgumentError(
        "--device: the CPU is what devices are compared with; name a CUDA "
        "device, cuda or cuda:N");
  }
  ThreadPool pool(0);
  CONTINUO_ASSIGN_OR_RETURN(const OwnedStream owned,
                            OwnedStream::Open(device, options, &pool));
  int bad = 0;
  std::printf("%-56s %10s %10s\n", "operation", "difference", "allowed");
  const std::vector<SelfCheckResult> results =
      RunSelfCheck(owned.stream(), units);
  for (const SelfCheckResult& result : results) {
    if (!result.status.ok()) {
      std::printf("%-56s FAILED: %s\n", result.operation.c_str(),
                  NameFlags(result.status.message()).c_str());
    } else {
      std::printf("%-56s %10.2g %10.2g  %s\n", result.operation.c_str(),
                  result.difference, result.tolerance,
                  result.ok() ? "ok" : "DIFFERS");
    }
    bad += !result.ok();
  }
  if (bad == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      bad, " of ", results.size(), " checks of ", DeviceName(device),
      " went wrong; do not train or generate there"));
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::RunCommand(argc, argv, continuo::Help(), continuo::Run);
}
