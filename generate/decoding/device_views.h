// Views of parts of arrays, for the loop on the device.

#ifndef CONTINUO_GENERATE_DECODING_DEVICE_VIEWS_H_
#define CONTINUO_GENERATE_DECODING_DEVICE_VIEWS_H_

#include <cstdint>

#include "runtime/base/log.h"
#include "runtime/device/tensor.h"

namespace continuo {

// The first elements of a vector, or rows of a matrix.
inline TensorView First(const TensorView& view, int64_t count) {
  CONTINUO_CHECK(count <= view.shape[0]);
  TensorView part = view;
  part.shape = Shape{count};
  if (view.shape.rank() > 1) part.shape.Append(view.shape[1]);
  return part;
}

// The same memory as rows of floats, for operations that move or clear them.
inline TensorView AsFloats(const TensorView& view) {
  const int64_t width = view.shape.rank() > 1 ? view.shape[1] : 1;
  return TensorView(static_cast<float*>(view.raw),
                    {view.shape[0], width * DTypeSize(view.dtype) /
                                        static_cast<int64_t>(sizeof(float))});
}

// Where an array of results notes the first row that could not be sampled.
inline TensorView BadRow(const TensorView& results) {
  return TensorView(static_cast<int32_t*>(results.raw), {1});
}

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_DEVICE_VIEWS_H_
