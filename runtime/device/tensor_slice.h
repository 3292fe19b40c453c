// SPDX-License-Identifier: Apache-2.0

// Views of parts of arrays.

#ifndef CONTINUO_RUNTIME_DEVICE_TENSOR_SLICE_H_
#define CONTINUO_RUNTIME_DEVICE_TENSOR_SLICE_H_

#include <cstdint>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/device/tensor.h"

namespace continuo {

// The first elements of `view` as [rows, columns]: buffers are planned for the
// largest batch and used densely.
inline TensorView Rows(const TensorView& view, int64_t rows, int64_t columns) {
  CONTINUO_CHECK(rows * columns <= view.num_elements());
  TensorView part = view;
  part.shape = {rows, columns};
  return part;
}

// The first rows of a matrix or elements of a vector, or no view of none.
inline TensorView Rows(const TensorView& view, int64_t rows) {
  if (!view) return {};
  if (view.shape.rank() > 1) return Rows(view, rows, view.shape[1]);
  CONTINUO_CHECK(rows <= view.shape[0]);
  TensorView part = view;
  part.shape = Shape{rows};
  return part;
}

// Rows [begin, begin + rows) of a matrix of floats or gates.
inline TensorView RowsFrom(const TensorView& view, int64_t begin,
                           int64_t rows) {
  const int64_t columns = view.shape[1];
  CONTINUO_CHECK((begin + rows) * columns <= view.num_elements());
  TensorView part = view;
  part.raw = static_cast<char*>(view.raw) +
             begin * columns * static_cast<int64_t>(DTypeSize(view.dtype));
  part.shape = {rows, columns};
  return part;
}

// Row `row` of a matrix of floats, as a vector.
inline TensorView Row(const TensorView& view, int64_t row) {
  const int64_t columns = view.shape[1];
  CONTINUO_CHECK((row + 1) * columns <= view.num_elements());
  return TensorView(view.data<float>() + row * columns, {columns});
}

// Elements [begin, end) of a vector of floats.
inline TensorView Elements(const TensorView& view, int64_t begin, int64_t end) {
  CONTINUO_CHECK(begin <= end && end <= view.num_elements());
  return TensorView(view.data<float>() + begin, {end - begin});
}

// The same memory as rows of floats, for operations that move or clear them.
inline TensorView AsFloats(const TensorView& view) {
  const int64_t width = view.shape.rank() > 1 ? view.shape[1] : 1;
  return TensorView(static_cast<float*>(view.raw),
                    {view.shape[0], width * DTypeSize(view.dtype) /
                                        static_cast<int64_t>(sizeof(float))});
}

// An array of the host.
template <typename T>
TensorView View(const std::vector<T>& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_TENSOR_SLICE_H_
