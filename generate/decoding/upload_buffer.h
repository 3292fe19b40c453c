// SPDX-License-Identifier: Apache-2.0

// UploadBuffer: collects the small host arrays of many steps and uploads them
// to the device in one copy.

#ifndef CONTINUO_GENERATE_DECODING_UPLOAD_BUFFER_H_
#define CONTINUO_GENERATE_DECODING_UPLOAD_BUFFER_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Begin, Add the arrays, Upload; then Get each one's place on the device.
class UploadBuffer {
 public:
  explicit UploadBuffer(const Stream& stream) : stream_(stream) {}

  void Begin() { bytes_.clear(); }

  // The handle of a copy of `values`.
  template <typename T>
  int64_t Add(const std::vector<T>& values) {
    constexpr size_t kAlignment = 16;
    const size_t begin =
        (bytes_.size() + kAlignment - 1) / kAlignment * kAlignment;
    const auto* from = reinterpret_cast<const char*>(values.data());
    bytes_.resize(begin);
    bytes_.insert(bytes_.end(), from, from + values.size() * sizeof(T));
    return static_cast<int64_t>(begin);
  }

  // Enqueues the copy. The stream must have finished the previous one.
  absl::Status Upload();

  // The array of a handle, on the device.
  template <typename T>
  TensorView Get(int64_t handle, Shape shape) const {
    return TensorView(reinterpret_cast<T*>(device_ + handle), shape);
  }

 private:
  const Stream stream_;
  std::vector<char> bytes_;
  int64_t capacity_ = 0;
  std::unique_ptr<Arena> pinned_arena_;
  std::unique_ptr<Arena> device_arena_;
  char* pinned_ = nullptr;
  char* device_ = nullptr;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_UPLOAD_BUFFER_H_
