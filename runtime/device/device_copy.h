// SPDX-License-Identifier: Apache-2.0

// Moving arrays between the host and a stream's device.

#ifndef CONTINUO_RUNTIME_DEVICE_DEVICE_COPY_H_
#define CONTINUO_RUNTIME_DEVICE_DEVICE_COPY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Enqueues a copy on the stream. Host memory must not change until it is done,
// and must be pinned (Arena) for the call to return before.
absl::Status CopyBytes(const Stream& stream, const void* from, void* to,
                       int64_t bytes);

// Waits for all work of the stream and reports its failure.
absl::Status Synchronize(const Stream& stream);

// Copies `from` to `to` (same type and number of elements) and waits.
absl::Status CopyAndWait(const Stream& stream, const TensorView& from,
                         const TensorView& to);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_DEVICE_COPY_H_
