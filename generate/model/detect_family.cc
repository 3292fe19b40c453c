// SPDX-License-Identifier: Apache-2.0

#include "generate/model/detect_family.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "models/checkpoint/bundle.h"
#include "models/config/run_config.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr Family kFamilies[] = {Family::kMelody, Family::kDrums,
                                Family::kPerformance};

absl::StatusOr<Family> FamilyOfBundle(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const Bundle bundle, ReadBundle(path));
  for (const Family family : kFamilies) {
    for (const ModelConfig& config : Configs(family)) {
      if (config.id == bundle.id) return family;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": generator id \"", bundle.id,
                   "\" is of no known configuration; say which it is with "
                   "`config`"));
}

}  // namespace

absl::StatusOr<Family> DetectFamily(const ModelSource& source) {
  if (!source.melody_encoder_decoder.empty()) return Family::kMelody;
  if (!source.config.empty()) {
    std::string names;
    for (const Family family : kFamilies) {
      for (const ModelConfig& config : Configs(family)) {
        if (config.name == source.config) return family;
        absl::StrAppend(&names, names.empty() ? "" : ", ", config.name);
      }
    }
    return absl::InvalidArgumentError(
        absl::StrCat("`config`=", source.config,
                     ": no such configuration; use one of ", names));
  }
  if (!source.bundle_file.empty()) {
    return FamilyOfBundle(ExpandHome(source.bundle_file));
  }
  const std::string path = source.run_dir.empty()
                               ? ExpandHome(source.checkpoint_file)
                               : JoinPath(ExpandHome(source.run_dir), "train");
  const absl::StatusOr<RunConfig> run = ReadRunConfigBeside(path);
  if (run.ok()) return run->model.family;
  if (!absl::IsNotFound(run.status())) return run.status();
  return absl::InvalidArgumentError(absl::StrCat(
      path,
      ": no configuration is stored with this checkpoint; say how it was "
      "trained with `config` or `melody_encoder_decoder`"));
}

}  // namespace continuo
