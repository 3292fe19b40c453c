// SPDX-License-Identifier: Apache-2.0

// A tensor that one step reads and replaces.

#ifndef CONTINUO_RUNTIME_DEVICE_DOUBLE_BUFFER_H_
#define CONTINUO_RUNTIME_DEVICE_DOUBLE_BUFFER_H_

#include <utility>

#include "runtime/device/tensor.h"

namespace continuo {

struct DoubleBuffer {
  TensorView now = {};
  TensorView next = {};  // what its successor is written to

  void Swap() { std::swap(now, next); }
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_DOUBLE_BUFFER_H_
