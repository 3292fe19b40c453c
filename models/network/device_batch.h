// SPDX-License-Identifier: Apache-2.0

// DeviceBatch: the arrays of a batch where a stream's device reads them.

#ifndef CONTINUO_MODELS_NETWORK_DEVICE_BATCH_H_
#define CONTINUO_MODELS_NETWORK_DEVICE_BATCH_H_

#include <compare>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "data/records/batch.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/layers/embedding.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Sizes of the arrays of a batch.
struct BatchShape {
  int64_t rows = 0;     // N, sequences
  int64_t steps = 0;    // T
  int64_t events = 0;   // E
  int64_t entries = 0;  // of the sparse inputs
  auto operator<=>(const BatchShape&) const = default;
};
BatchShape ExactShape(const PackedBatch& batch);

// The shape rounded up, so that work recorded for it (runtime/device/graph.h)
// serves all batches of about that size: to multiples of a sixteenth of the
// power of two below, which adds 3 % on average and 6 % at most (small ones
// apart: at least 64 events and 16 steps are a multiple).
BatchShape BucketShape(const PackedBatch& batch);
int64_t BucketEvents(int64_t events);

// What differs from one training step to the next; recorded work reads it from
// the device.
struct StepScalars {
  uint64_t dropout_step = 0;
  float loss_scale = 0;  // of the gradient of the sum of cross-entropies
  float rate = 0;        // of Adam, with the bias correction
};

// On the CPU the arrays are those of the PackedBatch, in place. On a CUDA
// device they are copied there as one piece through pinned memory.
class DeviceBatch {
 public:
  explicit DeviceBatch(const Stream& stream) : stream_(stream) {}

  // Puts the arrays on the stream; they stay valid as long as the batch, or
  // until the next Load. The stream must be done with the arrays of before.
  //
  // For work that is recorded (CUDA only) the arrays have the batch's bucket
  // shape: beyond the batch no rows are alive, and events have no inputs, no
  // labels (-1) and no predecessors. The layout then has no host arrays.
  absl::Status Load(const PackedBatch& batch, bool recorded,
                    const StepScalars& scalars);

  // Changes the scalars alone; nothing need have been loaded.
  absl::Status LoadScalars(const StepScalars& scalars);

  // Counts how often the arrays have moved: work recorded for those of before
  // is void.
  uint64_t generation() const { return generation_; }

  const BatchShape& shape() const { return shape_; }
  int64_t events() const { return events_; }  // of the batch itself

  RaggedLayout ragged;
  SparseView inputs;        // [E, width]
  TensorView source;        // [N] int32
  TensorView labels;        // [E * heads] int64
  TensorView previous;      // [E] int32, event of the same row a step before
  TensorView dropout_step;  // [1] uint64
  TensorView loss_scale;    // [1] float
  TensorView rate;          // [1] float

 private:
  // All arrays, in one piece of memory that begins with the scalars.
  struct Arrays;
  static Arrays Allocate(const BatchShape& shape, int64_t heads, Arena* arena);
  absl::Status Place(Arrays* host, Arrays* device);
  void Show(const Arrays& arrays);
  void ViewScalars(void* at);
  void ViewInPlace(const PackedBatch& batch);

  Stream stream_;
  BatchShape shape_;
  int64_t heads_ = 1;
  int64_t events_ = 0;
  uint64_t generation_ = 0;
  StepScalars scalars_;            // on the CPU, as the next
  std::vector<int32_t> previous_;  // [E]
  std::unique_ptr<Arena> pinned_;  // CUDA only, as the next
  std::unique_ptr<Arena> device_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_DEVICE_BATCH_H_
