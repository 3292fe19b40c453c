// SPDX-License-Identifier: Apache-2.0

// DeviceRows: sparse rows where a stream's device reads them.

#ifndef CONTINUO_MODELS_NETWORK_DEVICE_ROWS_H_
#define CONTINUO_MODELS_NETWORK_DEVICE_ROWS_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/records/sparse_rows.h"
#include "kernels/layers/embedding.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"

namespace continuo {

// Reused from step to step of a decoder.
class DeviceRows {
 public:
  explicit DeviceRows(const Stream& stream) : stream_(stream) {}

  // On the CPU a view of the rows in place. On a CUDA device it is one of a
  // copy there, which the stream makes; it must be done with that of before.
  absl::StatusOr<SparseView> Load(const SparseRows& rows);

 private:
  Stream stream_;
  int64_t capacity_ = 0;  // of rows and of entries
  std::unique_ptr<Arena> pinned_;
  std::unique_ptr<Arena> device_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_DEVICE_ROWS_H_
