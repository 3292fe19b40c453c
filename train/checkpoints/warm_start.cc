// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/warm_start.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/checkpoint/checkpoint.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr absl::string_view kField = "`warm_start_bundle_file`";

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// A bundle, or else whatever is read as a checkpoint.
absl::StatusOr<ModelFile> ReadModel(const std::string& path) {
  if (FileExists(path) && !IsDirectory(path)) {
    absl::StatusOr<ModelFile> bundle = ReadBundleModel(path);
    // A damaged bundle is known by its form, and says what is wrong.
    if (bundle.ok() || !absl::IsInvalidArgument(bundle.status())) return bundle;
  }
  return ReadCheckpointModel(path);
}

// One line for each missing weight.
std::string Mismatches(absl::Span<const Parameter> parameters,
                       const TensorMap& tensors) {
  std::string lines;
  for (const Parameter& parameter : parameters) {
    const std::string want = parameter.shape.ToString();
    const auto found = tensors.find(parameter.name);
    if (found == tensors.end()) {
      absl::StrAppend(&lines, "\n  ", parameter.name, " ", want,
                      ": is not in the file");
    } else if (found->second.dtype != DType::kFloat32 ||
               ShapeText(found->second.shape) != want) {
      absl::StrAppend(&lines, "\n  ", parameter.name, " ", want,
                      ": has the shape ", ShapeText(found->second.shape));
    }
  }
  return lines;
}

}  // namespace

absl::StatusOr<ModelFile> ReadWarmStart(const std::string& path) {
  absl::StatusOr<ModelFile> file = ReadModel(path);
  CONTINUO_RETURN_IF_ERROR(Annotate(file.status(), kField));
  return file;
}

absl::StatusOr<std::vector<float>> WarmStartWeights(
    const std::string& path, const TensorMap& tensors,
    absl::Span<const Parameter> parameters) {
  const std::string where = absl::StrCat(kField, "=", path);
  const std::string mismatches = Mismatches(parameters, tensors);
  if (!mismatches.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": these weights of the network cannot be loaded:", mismatches,
        "\ngive the `config` and `hparams` with which it was trained"));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      std::vector<float> flat,
      FlatFromTensors(parameters, tensors, /*suffix=*/"", where));
  std::set<std::string> loaded;
  for (const Parameter& parameter : parameters) {
    LogInfo("warm start: loaded ", parameter.name, " ",
            parameter.shape.ToString());
    loaded.insert(parameter.name);
  }
  for (const auto& [name, tensor] : tensors) {
    if (loaded.count(name) > 0) continue;
    LogInfo("warm start: not loaded ", name, " ", ShapeText(tensor.shape));
  }
  LogInfo("warm start: ", loaded.size(), " of ", tensors.size(),
          " tensors from ", path, "; step and optimizer are reset");
  return flat;
}

}  // namespace continuo
