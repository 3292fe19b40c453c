// SPDX-License-Identifier: Apache-2.0

// WithPrecision: from the precision of a stream to a template argument.

#ifndef CONTINUO_KERNELS_COMMON_PRECISION_H_
#define CONTINUO_KERNELS_COMMON_PRECISION_H_

#include "runtime/device/device.h"

namespace continuo {

// Returns fn.operator()<kPrecision>() for `precision`, as in
// WithPrecision(precision, [&]<Precision kPrecision>() { ... }).
template <typename Fn>
auto WithPrecision(Precision precision, const Fn& fn) {
  switch (precision) {
    case Precision::kFp32:
      break;
    case Precision::kTf32:
      return fn.template operator()<Precision::kTf32>();
    case Precision::kBf16:
      return fn.template operator()<Precision::kBf16>();
  }
  return fn.template operator()<Precision::kFp32>();
}

}  // namespace continuo

#endif  // CONTINUO_KERNELS_COMMON_PRECISION_H_
