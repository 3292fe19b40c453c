// SPDX-License-Identifier: Apache-2.0

#include "data/commands/model_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "models/config/hparams.h"

ABSL_FLAG(std::string, generator_id, "",
          "Accepted for compatibility: the data do not depend on it.");
ABSL_FLAG(std::string, generator_description, "",
          "Accepted for compatibility: the data do not depend on it.");
ABSL_FLAG(std::string, hparams, "",
          "Hyperparameters, name=value,... Checked, but the data do not "
          "depend on them.");

namespace continuo {

absl::Status ApplyHparamsOfFlags(ModelConfig* config) {
  return ParseHparams(absl::GetFlag(FLAGS_hparams), &config->hparams);
}

}  // namespace continuo
