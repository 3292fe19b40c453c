// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/checkpoint_tensor.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace continuo {
namespace {

constexpr int kFloat = 1;  // tensorflow.DataType
constexpr int kInt64 = 9;

// More than any memory holds, and far from overflow when multiplied by 8.
constexpr int64_t kMaxElements = int64_t{1} << 48;

}  // namespace

int CheckpointDType(DType dtype) {
  CONTINUO_CHECK(dtype == DType::kFloat32 || dtype == DType::kInt64);
  return dtype == DType::kFloat32 ? kFloat : kInt64;
}

int64_t CheckpointElementSize(DType dtype) {
  CONTINUO_CHECK(dtype == DType::kFloat32 || dtype == DType::kInt64);
  return dtype == DType::kFloat32 ? 4 : 8;
}

absl::StatusOr<HostTensor> EmptyHostTensor(
    int dtype, const tensorflow::TensorShapeProto& shape,
    absl::string_view where) {
  HostTensor tensor;
  if (dtype == kFloat) {
    tensor.dtype = DType::kFloat32;
  } else if (dtype == kInt64) {
    tensor.dtype = DType::kInt64;
  } else {
    return absl::UnimplementedError(
        absl::StrCat(where, ": element type ", dtype,
                     " is not supported (only float32 and int64 are)"));
  }
  if (shape.unknown_rank()) {
    return absl::DataLossError(absl::StrCat(where, ": unknown shape"));
  }
  for (const auto& dim : shape.dim()) {
    if (dim.size() < 0) {
      return absl::DataLossError(
          absl::StrCat(where, ": negative size ", dim.size()));
    }
    tensor.shape.push_back(dim.size());
  }
  return tensor;
}

absl::StatusOr<int64_t> CheckedElements(const std::vector<int64_t>& shape,
                                        absl::string_view where) {
  int64_t elements = 1;
  for (int64_t size : shape) {
    if (size > 0 && elements > kMaxElements / size) {
      return absl::DataLossError(absl::StrCat(where, ": impossible shape"));
    }
    elements *= size;
  }
  return elements;
}

void CopyLittleEndian(absl::string_view bytes, int64_t elements,
                      HostTensor* tensor) {
  CONTINUO_CHECK(static_cast<int64_t>(bytes.size()) ==
                 elements * CheckpointElementSize(tensor->dtype));
  if (elements == 0) return;
  if (tensor->dtype == DType::kFloat32) {
    tensor->floats.resize(elements);
    std::memcpy(tensor->floats.data(), bytes.data(), bytes.size());
  } else {
    tensor->ints.resize(elements);
    std::memcpy(tensor->ints.data(), bytes.data(), bytes.size());
  }
}

}  // namespace continuo
