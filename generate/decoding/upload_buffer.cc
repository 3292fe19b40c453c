// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/upload_buffer.h"

#include <cstring>

#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

namespace continuo {
namespace {

absl::StatusOr<char*> AllocateBytes(int64_t bytes, Arena* arena) {
  const Shape shape{(bytes + 7) / 8};
  arena->Allocate<int64_t>("upload buffer", shape);
  CONTINUO_RETURN_IF_ERROR(Annotate(arena->Commit(), "upload buffer"));
  return static_cast<char*>(
      arena->Allocate<int64_t>("upload buffer", shape).raw);
}

}  // namespace

absl::Status UploadBuffer::Upload() {
  if (stream_.device.type == DeviceType::kCpu) {
    device_ = bytes_.data();
    return absl::OkStatus();
  }
  const auto size = static_cast<int64_t>(bytes_.size());
  if (size > capacity_) {
    capacity_ = 2 * size;
    pinned_arena_ =
        std::make_unique<Arena>(stream_.device, MemoryKind::kPinned);
    device_arena_ = std::make_unique<Arena>(stream_.device);
    CONTINUO_ASSIGN_OR_RETURN(pinned_,
                              AllocateBytes(capacity_, pinned_arena_.get()));
    CONTINUO_ASSIGN_OR_RETURN(device_,
                              AllocateBytes(capacity_, device_arena_.get()));
  }
  std::memcpy(pinned_, bytes_.data(), bytes_.size());
  return CopyBytes(stream_, pinned_, device_, size);
}

}  // namespace continuo
