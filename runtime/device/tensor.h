// SPDX-License-Identifier: Apache-2.0

// DType, Shape and TensorView: how operations see memory they do not own.

#ifndef CONTINUO_RUNTIME_DEVICE_TENSOR_H_
#define CONTINUO_RUNTIME_DEVICE_TENSOR_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "runtime/base/log.h"

namespace continuo {

enum class DType { kFloat32, kFloat64, kInt32, kInt64, kUint64, kBfloat16 };

// Storage of a bfloat16, the high half of a float. Only GPU kernels compute
// with it.
struct Bfloat16 {
  uint16_t bits;
};

// Bytes of one element.
int64_t DTypeSize(DType dtype);

// Up to four dimensions, outermost first; rank 0 is a scalar.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) {
    CONTINUO_CHECK(dims.size() <= kMaxRank);
    for (int64_t dim : dims) dims_[rank_++] = dim;
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }
  void Append(int64_t dim) {
    CONTINUO_CHECK(rank_ < kMaxRank);
    dims_[rank_++] = dim;
  }
  int64_t num_elements() const {
    int64_t count = 1;
    for (int i = 0; i < rank_; ++i) count *= dims_[i];
    return count;
  }
  bool operator==(const Shape& other) const;
  std::string ToString() const;  // "[128, 512]"

 private:
  int64_t dims_[kMaxRank] = {};
  int rank_ = 0;
};

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct DTypeOf<uint64_t> {
  static constexpr DType value = DType::kUint64;
};
template <>
struct DTypeOf<Bfloat16> {
  static constexpr DType value = DType::kBfloat16;
};

// A dense row-major array on some device. Copying it copies the pointer. A
// view without data (`TensorView{}`) stands for "not given".
struct TensorView {
  void* raw = nullptr;
  DType dtype = DType::kFloat32;
  Shape shape;

  TensorView() = default;
  template <typename T>
  TensorView(T* data, Shape s)
      : raw(data), dtype(DTypeOf<T>::value), shape(s) {}
  // A read-only array; whether an operation writes is in its contract.
  template <typename T>
  TensorView(const T* data, Shape s)
      : raw(const_cast<T*>(data)), dtype(DTypeOf<T>::value), shape(s) {}

  explicit operator bool() const { return raw != nullptr; }
  int64_t num_elements() const { return shape.num_elements(); }

  // The elements; the type must be the view's own.
  template <typename T>
  T* data() const {
    CONTINUO_CHECK(raw == nullptr || DTypeOf<T>::value == dtype);
    return static_cast<T*>(raw);
  }
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_TENSOR_H_
