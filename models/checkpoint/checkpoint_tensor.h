// SPDX-License-Identifier: Apache-2.0

// What the readers of both checkpoint formats share: element types, shapes that
// cannot be trusted, and copying elements.

#ifndef CONTINUO_MODELS_CHECKPOINT_CHECKPOINT_TENSOR_H_
#define CONTINUO_MODELS_CHECKPOINT_CHECKPOINT_TENSOR_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/proto/checkpoint.pb.h"
#include "models/checkpoint/checkpoint.h"

namespace continuo {

// TensorFlow's number of an element type (DT_FLOAT 1, DT_INT64 9), and the
// bytes of one element in a V2 data file.
int CheckpointDType(DType dtype);
int64_t CheckpointElementSize(DType dtype);

// A tensor of the given type and shape without elements. Unimplemented for
// other types, DataLoss for unknown or negative sizes; messages begin with
// `where`.
absl::StatusOr<HostTensor> EmptyHostTensor(
    int dtype, const tensorflow::TensorShapeProto& shape,
    absl::string_view where);

// The number of elements of a shape; DataLoss if it does not fit memory.
absl::StatusOr<int64_t> CheckedElements(const std::vector<int64_t>& shape,
                                        absl::string_view where);

// Fills the elements from little-endian bytes (exactly as many as needed).
void CopyLittleEndian(absl::string_view bytes, int64_t elements,
                      HostTensor* tensor);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CHECKPOINT_CHECKPOINT_TENSOR_H_
