// SPDX-License-Identifier: Apache-2.0

#include "models/network/device_batch.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

int64_t RoundUp(int64_t size, int64_t least) {
  const uint64_t power = std::bit_floor(static_cast<uint64_t>(size));
  const int64_t each = std::max<int64_t>(least, power / 16);
  return (size + each - 1) / each * each;
}

// The arrays of a batch on their way to pinned memory, in pieces that threads
// share: one thread moves a few bytes a nanosecond, and the device waits.
class Copies {
 public:
  // `to` becomes the values, then `pad` to its end.
  template <typename T>
  void Add(const std::vector<T>& values, const TensorView& to, T pad) {
    const int64_t size = static_cast<int64_t>(values.size());
    CONTINUO_CHECK(size <= to.num_elements());
    T* const begin = to.data<T>();
    std::fill(begin + size, begin + to.num_elements(), pad);
    constexpr int64_t kEach = kPieceBytes / sizeof(T);
    for (int64_t at = 0; at < size; at += kEach) {
      const int64_t count = std::min(kEach, size - at);
      pieces_.push_back({values.data() + at, begin + at, count * sizeof(T)});
    }
  }
  void Run(ThreadPool* pool) const {
    pool->Run(static_cast<int64_t>(pieces_.size()), [this](int64_t i) {
      std::memcpy(pieces_[i].to, pieces_[i].from, pieces_[i].bytes);
    });
  }

 private:
  static constexpr int64_t kPieceBytes = 1 << 18;
  struct Piece {
    const void* from;
    void* to;
    size_t bytes;
  };
  std::vector<Piece> pieces_;
};

// Each event's predecessor in its row, or -1: [E], the first num_events() of
// which are set.
void FillPrevious(const PackedBatch& batch, int32_t* previous) {
  if (batch.num_steps() == 0) return;
  std::fill_n(previous, batch.batch_sizes[0], -1);
  for (int t = 1; t < batch.num_steps(); ++t) {
    for (int row = 0; row < batch.batch_sizes[t]; ++row) {
      previous[batch.step_begin[t] + row] = batch.step_begin[t - 1] + row;
    }
  }
}

}  // namespace

BatchShape ExactShape(const PackedBatch& batch) {
  return {.rows = batch.num_rows(),
          .steps = batch.num_steps(),
          .events = batch.num_events(),
          .entries = static_cast<int64_t>(batch.inputs.index.size())};
}

int64_t BucketEvents(int64_t events) { return RoundUp(events, 64); }

BatchShape BucketShape(const PackedBatch& batch) {
  BatchShape shape = ExactShape(batch);
  shape.steps = RoundUp(shape.steps, 16);
  shape.events = BucketEvents(shape.events);
  shape.entries = RoundUp(std::max<int64_t>(1, shape.entries), 64);
  return shape;
}

struct DeviceBatch::Arrays {
  TensorView scalars;      // StepScalars, as two uint64
  TensorView batch_sizes;  // [T] int32
  TensorView step_begin;   // [T + 1] int32
  TensorView source;       // [N] int32
  TensorView row_begin;    // [E + 1] int32
  TensorView index;        // [entries] int32
  TensorView value;        // [entries] float
  TensorView labels;       // [E * heads] int64
  TensorView previous;     // [E] int32
};

DeviceBatch::Arrays DeviceBatch::Allocate(const BatchShape& shape,
                                          int64_t heads, Arena* arena) {
  constexpr char kWhat[] = "batch";
  static_assert(sizeof(StepScalars) == 2 * sizeof(uint64_t));
  Arrays arrays;
  arrays.scalars = arena->Allocate<uint64_t>(kWhat, {2});
  arrays.batch_sizes = arena->Allocate<int32_t>(kWhat, {shape.steps});
  arrays.step_begin = arena->Allocate<int32_t>(kWhat, {shape.steps + 1});
  arrays.source = arena->Allocate<int32_t>(kWhat, {shape.rows});
  arrays.row_begin = arena->Allocate<int32_t>(kWhat, {shape.events + 1});
  arrays.index = arena->Allocate<int32_t>(kWhat, {shape.entries});
  arrays.value = arena->Allocate<float>(kWhat, {shape.entries});
  arrays.labels = arena->Allocate<int64_t>(kWhat, {shape.events * heads});
  arrays.previous = arena->Allocate<int32_t>(kWhat, {shape.events});
  return arrays;
}

// `at`: StepScalars, maybe on the device.
void DeviceBatch::ViewScalars(void* at) {
  char* const bytes = static_cast<char*>(at);
  const auto view = [bytes]<typename T>(T*, size_t offset) {
    return TensorView(reinterpret_cast<T*>(bytes + offset), {1});
  };
  constexpr uint64_t* kInteger = nullptr;
  constexpr float* kFloat = nullptr;
  dropout_step = view(kInteger, offsetof(StepScalars, dropout_step));
  loss_scale = view(kFloat, offsetof(StepScalars, loss_scale));
  rate = view(kFloat, offsetof(StepScalars, rate));
}

void DeviceBatch::Show(const Arrays& arrays) {
  ViewScalars(arrays.scalars.raw);
  ragged.batch_sizes = arrays.batch_sizes;
  ragged.step_begin = arrays.step_begin;
  source = arrays.source;
  inputs = {.row_begin = arrays.row_begin,
            .index = arrays.index,
            .value = arrays.value};
  labels = arrays.labels;
  previous = arrays.previous;
}

void DeviceBatch::ViewInPlace(const PackedBatch& batch) {
  previous_.resize(batch.num_events());
  FillPrevious(batch, previous_.data());
  Show({.scalars = TensorView(reinterpret_cast<uint64_t*>(&scalars_), {2}),
        .batch_sizes = View(batch.batch_sizes),
        .step_begin = View(batch.step_begin),
        .source = View(batch.source),
        .row_begin = View(batch.inputs.row_begin),
        .index = View(batch.inputs.index),
        .value = View(batch.inputs.value),
        .labels = View(batch.labels),
        .previous = View(previous_)});
}

// Gives the arrays of shape_ their places on either side, in memory that grows
// where it is too small.
absl::Status DeviceBatch::Place(Arrays* host, Arrays* device) {
  Arena plan(stream_.device);
  Allocate(shape_, heads_, &plan);
  if (device_ == nullptr || plan.size() > device_->size()) {
    // Some room more, so that few batches make it grow.
    const int64_t words = (plan.size() + plan.size() / 4) / 4;
    pinned_ = std::make_unique<Arena>(stream_.device, MemoryKind::kPinned);
    device_ = std::make_unique<Arena>(stream_.device);
    for (Arena* arena : {pinned_.get(), device_.get()}) {
      arena->Allocate<int32_t>("batch", {words});
      CONTINUO_RETURN_IF_ERROR(
          Annotate(arena->Commit(), "the arrays of a batch"));
    }
    ++generation_;
  }
  pinned_->Rewind(0);
  device_->Rewind(0);
  *host = Allocate(shape_, heads_, pinned_.get());
  *device = Allocate(shape_, heads_, device_.get());
  Show(*device);
  return absl::OkStatus();
}

absl::Status DeviceBatch::Load(const PackedBatch& batch, bool recorded,
                               const StepScalars& scalars) {
  shape_ = recorded ? BucketShape(batch) : ExactShape(batch);
  heads_ = batch.heads;
  events_ = batch.num_events();
  ragged = RaggedLayout();
  ragged.rows = shape_.rows;
  if (!recorded) {
    ragged.host_batch_sizes = batch.batch_sizes.data();
    ragged.host_step_begin = batch.step_begin.data();
  }
  if (stream_.device.type == DeviceType::kCpu) {
    CONTINUO_CHECK(!recorded);
    scalars_ = scalars;
    ViewInPlace(batch);
    return absl::OkStatus();
  }
  Arrays host, device;
  CONTINUO_RETURN_IF_ERROR(Place(&host, &device));
  std::memcpy(host.scalars.raw, &scalars, sizeof(scalars));
  const SparseRows& rows = batch.inputs;
  Copies copies;
  copies.Add(batch.batch_sizes, host.batch_sizes, 0);
  copies.Add(batch.step_begin, host.step_begin, batch.num_events());
  copies.Add(batch.source, host.source, 0);
  copies.Add(rows.row_begin, host.row_begin, rows.row_begin.back());
  copies.Add(rows.index, host.index, 0);
  copies.Add(rows.value, host.value, 0.0f);
  copies.Add(batch.labels, host.labels, int64_t{-1});
  copies.Run(stream_.pool);
  int32_t* const previous = host.previous.data<int32_t>();
  FillPrevious(batch, previous);
  std::fill(previous + events_, previous + shape_.events, -1);
  return CopyBytes(stream_, host.scalars.raw, device.scalars.raw,
                   device_->Mark());
}

absl::Status DeviceBatch::LoadScalars(const StepScalars& scalars) {
  scalars_ = scalars;
  if (stream_.device.type == DeviceType::kCpu) {
    ViewScalars(&scalars_);
    return absl::OkStatus();
  }
  Arrays host, device;
  CONTINUO_RETURN_IF_ERROR(Place(&host, &device));
  std::memcpy(host.scalars.raw, &scalars, sizeof(scalars));
  return CopyBytes(stream_, host.scalars.raw, device.scalars.raw,
                   sizeof(scalars));
}

}  // namespace continuo
