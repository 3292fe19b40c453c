// SPDX-License-Identifier: Apache-2.0

#include "train/commands/generator_flags.h"

#include <string>

#include "absl/flags/flag.h"

ABSL_FLAG(std::string, generator_id, "",
          "Generator id to store instead of the configuration's.");
ABSL_FLAG(std::string, generator_description, "",
          "Generator description to store instead of the configuration's.");

namespace continuo {

RequestedModel WithGeneratorOfFlags(RequestedModel model) {
  model.generator_id = absl::GetFlag(FLAGS_generator_id);
  model.generator_description = absl::GetFlag(FLAGS_generator_description);
  return model;
}

}  // namespace continuo
