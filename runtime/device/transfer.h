// Moving arrays between the host and a stream's device.

#ifndef CONTINUO_RUNTIME_DEVICE_TRANSFER_H_
#define CONTINUO_RUNTIME_DEVICE_TRANSFER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Puts a copy on the stream. Host memory must stay as it is until the stream
// has got there, and be pinned (Arena) for the copy not to hold up the host.
absl::Status CopyBytes(const Stream& stream, const void* from, void* to,
                       int64_t bytes);

// Waits until all that was put on the stream is done, and reports what failed.
absl::Status Synchronize(const Stream& stream);

// Copies `from` to `to` (same type and number of elements) and waits.
absl::Status CopyAndWait(const Stream& stream, const TensorView& from,
                         const TensorView& to);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_TRANSFER_H_
