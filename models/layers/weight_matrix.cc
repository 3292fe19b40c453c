// SPDX-License-Identifier: Apache-2.0

#include "models/layers/weight_matrix.h"

#include "kernels/gemm/gemm.h"
#include "runtime/base/status.h"

namespace continuo {

WeightMatrix::WeightMatrix(const Parameter& parameter)
    : WeightMatrix(
          parameter, 0,
          parameter.size / parameter.shape[parameter.shape.rank() - 1]) {}

void WeightMatrix::Plan(const Stream& stream, bool backward, Arena* arena) {
  constexpr char kWhat[] = "packed weights";
  packed_ =
      arena->Allocate<float>(kWhat, {PackedSize(stream, rows(), columns())});
  transposed_ = {};
  if (!backward) return;
  transposed_ =
      arena->Allocate<float>(kWhat, {PackedSize(stream, columns(), rows())});
}

absl::Status WeightMatrix::Pack(const Stream& stream, float* weights) const {
  CONTINUO_RETURN_IF_ERROR(
      PackMatrix(stream, {.matrix = Rows(weights), .packed = packed_}));
  if (!transposed_) return absl::OkStatus();
  return PackMatrix(
      stream,
      {.matrix = Rows(weights), .transpose = true, .packed = transposed_});
}

}  // namespace continuo
