// SPDX-License-Identifier: Apache-2.0

// The kinds of recurrent cells that layers are made of, one row each.
// models/layers/layer_stack.cc has the layer of each.

#ifndef CONTINUO_MODELS_CONFIG_CELLS_H_
#define CONTINUO_MODELS_CONFIG_CELLS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace continuo {

enum class Cell { kLstm, kGru };

struct CellKind {
  Cell cell;
  absl::string_view name;  // value of the hyperparameter `cell`
  // Its variables below a layer's scope: that of its first product, which has
  // a kernel [width + n, gates * n] and a bias [gates * n] that starts at
  // `initial_bias`.
  absl::string_view scope;
  int gates;
  float initial_bias;
};

absl::Span<const CellKind> Cells();
const CellKind& KindOf(Cell cell);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CONFIG_CELLS_H_
