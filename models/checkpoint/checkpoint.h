// SPDX-License-Identifier: Apache-2.0

// TensorFlow checkpoints, read and written: V2 (tensor bundles) and V1 (one
// table).

#ifndef CONTINUO_MODELS_CHECKPOINT_CHECKPOINT_H_
#define CONTINUO_MODELS_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/device/tensor.h"

namespace continuo {

// One tensor on the host: float32 or int64.
struct HostTensor {
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<float> floats;
  std::vector<int64_t> ints;
};

// Tensors by variable name.
using TensorMap = std::map<std::string, HostTensor>;

// Writes `<prefix>.data-00000-of-00001` and then `<prefix>.index`, each beside
// and renamed, so a reader never sees half a checkpoint.
absl::Status WriteCheckpointV2(const std::string& prefix,
                               const TensorMap& tensors);

// Reads all tensors of a V2 prefix (or the name of one of its files), a V1
// file, a safetensors file, or the newest checkpoint of a folder. Every block
// and tensor checksum is verified (safetensors has none); the error names file
// and tensor.
absl::StatusOr<TensorMap> ReadCheckpoint(const std::string& path);

// The same for a V1 table in memory (the checkpoint inside a .mag bundle).
absl::StatusOr<TensorMap> ReadCheckpointV1(absl::string_view bytes,
                                           absl::string_view name);

// The V1 table of the tensors; byte for byte as TensorFlow writes it while it
// fits one block (256 KiB).
std::string BuildCheckpointV1(const TensorMap& tensors);

// The `checkpoint` state file of a directory: text proto, oldest first.
struct CheckpointState {
  std::string latest;            // as written, relative or absolute
  std::vector<std::string> all;  // oldest first
};
absl::StatusOr<CheckpointState> ReadCheckpointState(const std::string& dir);
absl::Status WriteCheckpointState(const std::string& dir,
                                  const CheckpointState& state);

// The prefix that the name of one of a V2 checkpoint's files stands for
// (model.ckpt-7.index, .meta, .data-00000-of-00001: file choosers offer them);
// another path as it is.
std::string CheckpointPrefix(absl::string_view path);

// The folder of checkpoints that a path stands for: itself, its subfolder
// train if that is where the `checkpoint` file is (the folder of a run), or the
// folder of the `checkpoint` file it names. Empty for anything else.
std::string CheckpointFolder(const std::string& path);

// A checkpoint and its prefix.
struct NamedCheckpoint {
  std::string prefix;
  TensorMap tensors;
};

// The newest checkpoint of `dir` that can be read: damaged ones are warned
// about and passed over, as every command does. Safe beside a training that
// replaces its checkpoints. An error if none can be read.
absl::StatusOr<NamedCheckpoint> ReadNewestCheckpoint(const std::string& dir);

// The prefix of the newest checkpoint in `dir`; NotFound says what is missing.
// Safe beside a training that replaces its checkpoints.
absl::StatusOr<std::string> LatestCheckpoint(const std::string& dir);

// The prefixes of all checkpoints that the state file of `dir` names, the
// newest first, whether their files are there or not.
absl::StatusOr<std::vector<std::string>> ListCheckpoints(
    const std::string& dir);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CHECKPOINT_CHECKPOINT_H_
