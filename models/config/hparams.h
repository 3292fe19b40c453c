// SPDX-License-Identifier: Apache-2.0

// Hyperparameters and the parser of --hparams: Magenta's grammar, and a
// fractional clip_norm.

#ifndef CONTINUO_MODELS_CONFIG_HPARAMS_H_
#define CONTINUO_MODELS_CONFIG_HPARAMS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/config/cells.h"

namespace continuo {

// The largest values that are accepted, far beyond use: sizes that follow from
// them do not overflow.
inline constexpr int kMaxLayerSize = 1 << 16;
inline constexpr int kMaxLayers = 256;
inline constexpr int kMaxAttentionLength = 1 << 14;
inline constexpr int kMaxBatchSize = 1 << 20;

// The base values; a configuration replaces those it names.
struct Hparams {
  int batch_size = 64;
  std::vector<int> rnn_layer_sizes = {128, 128};
  double dropout_keep_prob = 1.0;  // of each layer's output
  int attn_length = 0;             // attention window; 0 = none
  double clip_norm = 3;            // per-tensor L2 limit; <= 0 = off
  double learning_rate = 0.001;
  bool residual_connections = false;
  bool use_cudnn = false;  // accepted for compatibility, without effect
  // Attention around all layers, as in networks of TensorFlow 0.x, instead of
  // layer 0. Not one of Magenta's: its releases differ here.
  bool attention_around_stack = false;
  // What the layers are made of. Not one of Magenta's; without attention alone.
  Cell cell = Cell::kLstm;
};

// Applies "name=value,name=[1,2]" to `hparams`. InvalidArgument names the
// clause; an unknown name suggests the nearest known one. Values out of range
// (batch_size < 1, no layers, keep probability outside (0, 1], sizes beyond the
// limits above) are refused.
absl::Status ParseHparams(absl::string_view text, Hparams* hparams);

// The names given in `text` (already known to parse), in order.
absl::StatusOr<std::vector<std::string>> HparamNames(absl::string_view text);

// One hyperparameter as text ("[128,128]", "0.5"), as ParseHparams reads it.
std::string HparamValue(const Hparams& hparams, absl::string_view name);

// All of them as "batch_size=64,rnn_layer_sizes=[128,128],..." in the order
// of the struct, those that Magenta lacks only where they are not the default;
// ParseHparams reads it back.
std::string HparamsToString(const Hparams& hparams);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CONFIG_HPARAMS_H_
