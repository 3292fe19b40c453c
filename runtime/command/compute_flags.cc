// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/compute_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/compute_options.h"

ABSL_FLAG(std::string, device, "auto",
          "Where to compute: auto (the first CUDA device if there is one, else "
          "the CPU), cpu, cuda or cuda:N. A device that is not there is an "
          "error.");
ABSL_FLAG(std::string, precision, "fp32",
          "What products compute with on a CUDA device: fp32, tf32 (operands "
          "rounded to 10 bits of fraction) or bf16 (to 7 bits, and the gates "
          "stored so). Weights and sums are fp32 in all of them.");
ABSL_FLAG(std::string, rnn_form, "auto",
          "Recurrent layers on a CUDA device: persistent (weights stay on chip "
          "for the whole sequence; an error where they do not fit), stepwise, "
          "or auto (persistent where it fits). --v=1 shows which.");
ABSL_FLAG(std::string, rnn_backend, "auto",
          "Whose LSTM layers train on a CUDA device: fused (this program's "
          "own), cudnn, or auto (fused). Checkpoints are the same.");
ABSL_FLAG(
    int, v, 0,
    "1 logs how the work is done, as --log=DEBUG does: which form a layer "
    "takes on a CUDA device, what is recorded as a graph.");

namespace continuo {

absl::StatusOr<OwnedStream> OpenStreamOfFlags(ThreadPool* pool,
                                              const LaunchIdentity& identity) {
  if (absl::GetFlag(FLAGS_v) > 0) {
    CONTINUO_RETURN_IF_ERROR(SetLogLevel("DEBUG"));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      const ComputeOptions options,
      ParseComputeOptions(absl::GetFlag(FLAGS_precision),
                          absl::GetFlag(FLAGS_rnn_form),
                          absl::GetFlag(FLAGS_rnn_backend)));
  CONTINUO_ASSIGN_OR_RETURN(const Device device,
                            RankDevice(absl::GetFlag(FLAGS_device), identity));
  CONTINUO_ASSIGN_OR_RETURN(OwnedStream stream,
                            OwnedStream::Open(device, options, pool));
  if (device.type == DeviceType::kCuda) {
    LogInfo("computing on ", StreamName(stream.stream()));
  }
  return stream;
}

}  // namespace continuo
