// SPDX-License-Identifier: Apache-2.0

// The configuration stored beside the checkpoints of a run, so that whoever
// reads a checkpoint needs no flags to rebuild its network.

#ifndef CONTINUO_MODELS_CONFIG_RUN_CONFIG_H_
#define CONTINUO_MODELS_CONFIG_RUN_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/config/config.h"

namespace continuo {

struct RunConfig {
  ModelConfig model;  // hparams are those the run trains with
  // Of initial weights, shuffling and dropout; nothing where it is not known,
  // as of a bundle.
  std::optional<uint64_t> seed;
  // That a batch is cut into: what decides the order of sums in training.
  int micro_batches = 1;
  std::string version;  // of the program that wrote it
};

inline constexpr int kMaxMicroBatches = 1 << 16;

// The name of the file in a folder of checkpoints.
inline constexpr char kRunConfigFile[] = "continuo.json";

// Writes `dir`/continuo.json.
absl::Status WriteRunConfig(const std::string& dir, const RunConfig& config);

// What that file holds, and the way back; `name` stands for the file in
// messages.
std::string RunConfigToJson(const RunConfig& config);
absl::StatusOr<RunConfig> ParseRunConfig(absl::string_view text,
                                         const std::string& name);

// Reads `dir`/continuo.json. NotFound if there is none (a run of Magenta),
// DataLoss naming file and field if it is not what was written.
absl::StatusOr<RunConfig> ReadRunConfig(const std::string& dir);

// The same for what --checkpoint_file accepts: the folder itself, the folder
// that a checkpoint's prefix or file is in, or a safetensors file, which holds
// its own.
absl::StatusOr<RunConfig> ReadRunConfigBeside(
    const std::string& checkpoint_path);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CONFIG_RUN_CONFIG_H_
