// SPDX-License-Identifier: Apache-2.0

#include "models/config/cells.h"

#include "runtime/base/log.h"

namespace continuo {
namespace {

constexpr CellKind kCells[] = {
    {Cell::kLstm, "lstm", "basic_lstm_cell/", 4, 0},
    {Cell::kGru, "gru", "gru_cell/gates/", 2, 1},
};

}  // namespace

absl::Span<const CellKind> Cells() { return kCells; }

const CellKind& KindOf(Cell cell) {
  for (const CellKind& kind : kCells) {
    if (kind.cell == cell) return kind;
  }
  CheckFailed(__FILE__, __LINE__, "cell has a row");
}

}  // namespace continuo
