// SPDX-License-Identifier: Apache-2.0

// The named configurations, one row each, with the published defaults.

#ifndef CONTINUO_MODELS_CONFIG_CONFIG_H_
#define CONTINUO_MODELS_CONFIG_CONFIG_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/encoder_table.h"
#include "models/config/hparams.h"

namespace continuo {

// How often each event begins an example of the training data.
using FirstEvents = std::map<Event, int64_t>;

enum class Family { kMelody, kDrums, kPerformance };

// "melody_rnn", "drums_rnn", "performance_rnn".
absl::string_view FamilyName(Family family);

struct ModelConfig {
  Family family = Family::kMelody;
  std::string name;         // value of --config
  std::string id;           // generator id in bundles
  std::string description;  // generator description in bundles
  EncodingSpec encoding;
  Hparams hparams;
  int steps_per_quarter = 4;
  // Of the data that a melody network was trained on; empty if not known.
  FirstEvents first_events = {};
};

// InvalidArgument that names the field and its value if the fields of a
// configuration from outside do not go together: an encoding of another family,
// velocity bins that an encoding lacks or must have, controls that a family
// does not know. Encoders of other ones can be made.
absl::Status CheckModelConfig(const ModelConfig& config);

// All configurations of a family, in the order help texts list them.
const std::vector<ModelConfig>& Configs(Family family);

// The configuration called `name`; NotFound lists the valid names.
absl::StatusOr<ModelConfig> FindConfig(Family family, absl::string_view name);

// The configuration of --melody_encoder_decoder: "onehot", "lookback" or "key"
// over 48..84 in C, with the base hyperparameters.
absl::StatusOr<ModelConfig> MelodyEncoderDecoderConfig(absl::string_view name);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CONFIG_CONFIG_H_
