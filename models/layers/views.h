// Views of parts of arrays.

#ifndef CONTINUO_MODELS_LAYERS_VIEWS_H_
#define CONTINUO_MODELS_LAYERS_VIEWS_H_

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

// The first rows of a matrix, or no view of none.
inline TensorView Rows(const TensorView& view, int64_t rows) {
  return view ? Rows(view, rows, view.shape[1]) : TensorView();
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

// An array of the host.
template <typename T>
TensorView View(const std::vector<T>& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_VIEWS_H_
