// SPDX-License-Identifier: Apache-2.0

// The network of a checkpoint, read off the names and shapes of its tensors.

#ifndef CONTINUO_MODELS_MODEL_FILE_DETECT_ARCHITECTURE_H_
#define CONTINUO_MODELS_MODEL_FILE_DETECT_ARCHITECTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/cells.h"

namespace continuo {

// What shapes alone tell.
struct NetworkShape {
  std::vector<int> layer_sizes;
  bool attention = false;  // around layer 0; its window has no variable
  bool attention_around_stack = false;  // of TensorFlow 0.x; `attention`, too
  bool residual_connections = false;
  Cell cell = Cell::kLstm;
  int64_t input_size = 0;   // columns of the input; 0 = they do not tell
  int64_t num_classes = 0;  // of all heads together; 0 = they do not tell
};

// InvalidArgument, with `name` for the file, if these are not the variables of
// such a network under current names (models/model_file/tf_variable_names.h).
absl::StatusOr<NetworkShape> DetectArchitecture(const TensorMap& tensors,
                                                absl::string_view name);

// The attention window of a meta graph that generates, as bundles hold: the
// width of the state that holds it, divided by the size of the attention.
// Graphs of TensorFlow 0.x have one state tensor for everything.
// InvalidArgument if the meta graph does not say.
absl::StatusOr<int> DetectAttentionLength(const std::string& metagraph,
                                          const NetworkShape& shape,
                                          absl::string_view name);

}  // namespace continuo

#endif  // CONTINUO_MODELS_MODEL_FILE_DETECT_ARCHITECTURE_H_
