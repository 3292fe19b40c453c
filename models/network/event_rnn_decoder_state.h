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
#include "models/network/device_rows.h"
#include "models/network/event_rnn_decoder.h"
#include "models/network/event_rnn_weights.h"
#include "models/network/views.h"
#include "runtime/base/log.h"
#include "runtime/device/arena.h"

namespace continuo {

// A state tensor and the buffer its successor is written to.
struct Buffered {
  TensorView now;   // [max_rows, n]
  TensorView next;  // [max_rows, n]
  void Swap() { std::swap(now, next); }
};

struct DecoderLayer {
  TensorView cell_input;  // [max_rows, width] projected input
  TensorView gates;       // [max_rows, 4n] GateType
  TensorView output;      // [max_rows, n] residual connections
  Buffered c;
  Buffered h;
  // Attention.
  TensorView x;              // [max_rows, width]
  TensorView query;          // [max_rows, n]
  TensorView probabilities;  // [max_rows, A]
  TensorView out;            // [max_rows, n]
  TensorView projected;      // [max_rows, n]
  Buffered attention;
  // [max_rows, A * n]; `next` on a GPU only, where windows are moved whole.
  Buffered window_states;
  Buffered window_projected;
};

// A window array [R, A * n] as the operations take it.
inline TensorView Slots(const TensorView& window, int64_t slots) {
  TensorView view = window;
  view.shape = {window.shape[0], slots, window.shape[1] / slots};
  return view;
}

struct EventRnnDecoder::State {
  const EventRnn* rnn = nullptr;
  int64_t max_rows = 0;
  int64_t rows = 0;
  int64_t step = 0;  // events since Reset
  NetworkPlan plan;
  std::unique_ptr<Arena> arena;
  NetworkPacks packs;
  uint64_t packed_version = ~uint64_t{0};
  // One for each layer; after them, where attention is around the stack, one
  // for that, without c and h.
  std::vector<DecoderLayer> layers;
  TensorView logits;  // [max_rows, classes]
  TensorView lstm_scratch;
  TensorView attention_scratch;
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
  void AllocateWindow(DecoderLayer* state, int64_t width, int64_t units,
                      Arena* to);
  absl::Status UploadConstants();
  void SetRows(int64_t count);
  TensorView WindowRow() const;
  absl::Status Project(const TensorView& below, const SparseView* sparse,
                       const DenseParameters& dense, int64_t width,
                       const TensorView& packed, const TensorView& out);
  absl::Status StepLayer(const LayerPlan& layer, const TensorView& below,
                         const SparseView* sparse, TensorView* output);
  absl::Status BeforeStack(const SparseView& sparse, TensorView* x);
  absl::Status AfterStack(TensorView* output);
  absl::Status ReorderWindows(absl::Span<const int32_t> source);
  absl::Status GatherStates(const TensorView& source);
  absl::StatusOr<std::vector<float>> Read(const TensorView& view,
                                          int64_t row) const;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_STATE_H_
