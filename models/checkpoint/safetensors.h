// SPDX-License-Identifier: Apache-2.0

// safetensors files: tensors for use in Python.
//
// Eight bytes (little-endian) tell the size of a JSON header, which names each
// tensor's type, shape and place in the bytes that follow it, and may hold
// strings of its own under "__metadata__".

#ifndef CONTINUO_MODELS_CHECKPOINT_SAFETENSORS_H_
#define CONTINUO_MODELS_CHECKPOINT_SAFETENSORS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/checkpoint/checkpoint.h"

namespace continuo {

// The entry of the metadata that holds what continuo.json holds beside a
// checkpoint (models/config/run_config.h).
inline constexpr char kSafetensorsRunConfig[] = "continuo.json";

struct Safetensors {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

// True if the bytes begin as such a file does.
bool LooksLikeSafetensors(absl::string_view bytes);

// The bytes of a file; tensors lie in the order of their names, aligned to
// eight bytes.
std::string SerializeSafetensors(const Safetensors& contents);

// Reads a file's bytes: float32 and int64 tensors that lie one behind the other
// without gaps, as the format demands. DataLoss or Unimplemented with `name`
// and the tensor for anything else.
absl::StatusOr<Safetensors> ParseSafetensors(absl::string_view bytes,
                                             absl::string_view name);

// The same of the metadata alone, without looking at the tensors.
absl::StatusOr<std::map<std::string, std::string>> ParseSafetensorsMetadata(
    absl::string_view bytes, absl::string_view name);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CHECKPOINT_SAFETENSORS_H_
