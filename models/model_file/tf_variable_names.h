// SPDX-License-Identifier: Apache-2.0

// Variable names of older TensorFlow releases.

#ifndef CONTINUO_MODELS_MODEL_FILE_TF_VARIABLE_NAMES_H_
#define CONTINUO_MODELS_MODEL_FILE_TF_VARIABLE_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "models/checkpoint/checkpoint.h"

namespace continuo {

// The current name of a network's variable, from that of TensorFlow 0.x
// (RNN/MultiRNNCell/Cell0/BasicLSTMCell/Linear/Matrix) or 1.0 and 1.1
// (rnn/.../weights), and so of its Adam slots. Other names stay as they are.
std::string CurrentVariableName(absl::string_view name);

// The same tensors under current names. DataLoss with `where` (the file) if two
// of them would have one name.
absl::StatusOr<TensorMap> WithCurrentNames(TensorMap tensors,
                                           absl::string_view where);

}  // namespace continuo

#endif  // CONTINUO_MODELS_MODEL_FILE_TF_VARIABLE_NAMES_H_
