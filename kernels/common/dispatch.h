// SPDX-License-Identifier: Apache-2.0

// CONTINUO_OPERATION(Op): the entry point of an operation and its device forms.

#ifndef CONTINUO_KERNELS_COMMON_DISPATCH_H_
#define CONTINUO_KERNELS_COMMON_DISPATCH_H_

#include "absl/status/status.h"
#include "runtime/device/device.h"

// Declares cpu::Op and gpu::Op and defines Op, which runs the form of the
// stream's device. A stream of a device that the build lacks cannot be made
// (ParseDevice), so a build without CUDA needs no gpu::Op.
#define CONTINUO_OPERATION(Op)                                         \
  namespace cpu {                                                      \
  absl::Status Op(const Stream& stream, const Op##Args& args);         \
  }                                                                    \
  namespace gpu {                                                      \
  absl::Status Op(const Stream& stream, const Op##Args& args);         \
  }                                                                    \
  inline absl::Status Op(const Stream& stream, const Op##Args& args) { \
    if constexpr (kHasCuda) {                                          \
      if (stream.device.type == DeviceType::kCuda) {                   \
        return gpu::Op(stream, args);                                  \
      }                                                                \
    }                                                                  \
    return cpu::Op(stream, args);                                      \
  }                                                                    \
  static_assert(true)

#endif  // CONTINUO_KERNELS_COMMON_DISPATCH_H_
