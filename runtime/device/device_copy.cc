// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/device_copy.h"

#include <cstring>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/cuda_support.h"

namespace continuo {

absl::Status CopyBytes(const Stream& stream, const void* from, void* to,
                       int64_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  if (stream.device.type == DeviceType::kCuda) {
    return CudaCopy(stream, from, to, bytes);
  }
  std::memcpy(to, from, static_cast<size_t>(bytes));
  return absl::OkStatus();
}

absl::Status Synchronize(const Stream& stream) {
  if (stream.device.type == DeviceType::kCpu) return absl::OkStatus();
  return CudaSynchronize(stream);
}

absl::Status CopyAndWait(const Stream& stream, const TensorView& from,
                         const TensorView& to) {
  CONTINUO_CHECK(from.dtype == to.dtype &&
                 from.num_elements() == to.num_elements());
  CONTINUO_RETURN_IF_ERROR(CopyBytes(
      stream, from.raw, to.raw, from.num_elements() * DTypeSize(from.dtype)));
  return Synchronize(stream);
}

}  // namespace continuo
