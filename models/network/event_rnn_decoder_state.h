// SPDX-License-Identifier: Apache-2.0

// The inside of EventRnnDecoder: what it keeps and how that is moved. Only the
// event_rnn_decoder*.cc files include this.

#ifndef CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_STATE_H_
#define CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_STATE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/layers/embedding.h"
#include "models/layers/layer.h"
#include "models/network/device_rows.h"
#include "models/network/event_rnn_decoder.h"
#include "models/network/network_layers.h"
#include "runtime/base/log.h"
#include "runtime/device/arena.h"

namespace continuo {

struct EventRnnDecoder::State {
  const EventRnn* rnn = nullptr;
  int64_t max_rows = 0;
  int64_t rows = 0;
  int64_t step = 0;  // events since Reset
  NetworkLayers layers;
  std::unique_ptr<Arena> arena;
  uint64_t packed_version = ~uint64_t{0};
  std::vector<StateTensor> states;  // of all layers
  TensorView logits;                // [max_rows, classes]
  // Where each row's attention window lies. Windows are long, so reordering on
  // the CPU moves only those that are needed twice; a GPU moves them all, row r
  // having its own in place r, and computes no places.
  std::vector<int32_t> window_row;  // [rows], or [max_rows] on a GPU
  TensorView device_window_row;     // [max_rows] int32, GPU only
  // 0, c for each count of rows c: the two arrays of the one-step layout.
  std::vector<int32_t> counts;  // [2 (max_rows + 1)]
  TensorView device_counts;     // the same where the stream's device reads it
  TensorView device_source;     // [max_rows] int32, GPU only
  RaggedLayout ragged;
  std::unique_ptr<DeviceRows> inputs;

  const Stream& stream() const { return rnn->stream(); }

  bool on_gpu() const { return stream().device.type == DeviceType::kCuda; }

  void Allocate(Arena* to);
  absl::Status UploadConstants();
  void SetRows(int64_t count);
  TensorView WindowRow() const;
  absl::Status ReorderWindows(absl::Span<const int32_t> source);
  absl::Status GatherState(const TensorView& source, StateTensor* state);
  absl::Status GatherStates(const TensorView& source);
  absl::StatusOr<std::vector<float>> Read(const TensorView& view,
                                          int64_t row) const;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_STATE_H_
