// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/tensor.h"

#include "absl/strings/str_cat.h"

namespace continuo {

int64_t DTypeSize(DType dtype) {
  switch (dtype) {
    case DType::kBfloat16:
      return 2;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat64:
    case DType::kInt64:
    case DType::kUint64:
      return 8;
  }
  return 0;
}

bool Shape::operator==(const Shape& other) const {
  if (rank_ != other.rank_) return false;
  for (int i = 0; i < rank_; ++i) {
    if (dims_[i] != other.dims_[i]) return false;
  }
  return true;
}

std::string Shape::ToString() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", dims_[i]);
  }
  return text + "]";
}

}  // namespace continuo
