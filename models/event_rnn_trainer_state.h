// The inside of EventRnnTrainer: what it keeps, and its two passes. Only the
// event_rnn_*.cc files include this.

#ifndef CONTINUO_MODELS_EVENT_RNN_TRAINER_STATE_H_
#define CONTINUO_MODELS_EVENT_RNN_TRAINER_STATE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "kernels/embedding.h"
#include "kernels/schedule.h"
#include "models/event_rnn.h"
#include "models/event_rnn_weights.h"
#include "runtime/arena.h"
#include "runtime/log.h"

namespace continuo {

// What a layer keeps from forward for backward; rows are events.
struct LayerArrays {
  TensorView cell_input;     // [E, width] projected input
  TensorView x;              // [E, width] x' of the attention wrapper
  TensorView gates;          // [E, 4n]
  TensorView c;              // [E, n]
  TensorView h;              // [E, n]
  TensorView query;          // [E, n] attention, from here
  TensorView probabilities;  // [E, A]
  TensorView attention;      // [E, n]
  TensorView out;            // [E, n]
  TensorView projected;      // [E, n]
  TensorView window[2];      // [N, A, n]
  TensorView output;         // [E, n] after residual connection and dropout
};

// What only backward needs.
struct BackwardArrays {
  TensorView gradient[2];  // [E, widest layer], of layer outputs in turn
  TensorView dcell_input;  // [E, widest layer] residual connections
  TensorView dx;           // [E, width of layer 0] attention, as dprojected
  TensorView dprojected;   // [E, n of layer 0]
  TensorView dh;           // [N, widest layer], as dc
  TensorView dc;
  TensorView da;  // [N, n of layer 0] attention, as dv
  TensorView dv;
  TensorView dp;         // [N, A]
  TensorView window[2];  // [N, A, n] gradients of the attention window
  TensorView scratch;    // weight gradients, one after the other
};

// The first `rows` rows of `view` as [rows, columns]: the buffers are planned
// for the largest batch and used densely.
inline TensorView Rows(const TensorView& view, int64_t rows, int64_t columns) {
  CONTINUO_CHECK(rows * columns <= view.num_elements());
  return TensorView(view.data<float>(), {rows, columns});
}
inline TensorView Rows(const TensorView& view, int64_t rows) {
  return view ? Rows(view, rows, view.shape[1]) : TensorView();
}

// Host arrays as operations on a CPU stream see them: in place.
template <typename T>
TensorView View(const std::vector<T>& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

template <typename T>
TensorView ScalarView(const T* value) {
  return TensorView(value, {1});
}

struct EventRnnTrainer::State {
  EventRnn* rnn = nullptr;
  bool inference_only = false;
  int64_t max_rows = 0;
  int64_t max_events = 0;
  NetworkPlan plan;
  std::vector<int32_t> head_begin;
  std::vector<int64_t> tensor_begin;

  // Weights-sized: live as long as the trainer.
  std::unique_ptr<Arena> weights_arena;
  NetworkPacks packs;
  uint64_t packed_version = ~uint64_t{0};
  TensorView gradient;  // [flat]
  TensorView m;         // [flat]
  TensorView v;         // [flat]
  TensorView adam_scratch;

  // Batch-sized: made anew when a larger batch comes.
  std::unique_ptr<Arena> batch_arena;
  std::vector<LayerArrays> layers;
  BackwardArrays backward;
  TensorView logits;      // [E, classes]
  TensorView dlogits;     // [E, classes]
  TensorView predicted;   // [E * heads] int32
  TensorView chunk_sums;  // [chunks] double

  // The current batch.
  Schedule schedule;
  SparseView inputs;
  std::vector<TensorView> outputs;  // [E, n] of each layer
  std::vector<int32_t> previous;    // [E] event of the same row a step before
  int64_t events = 0;

  const Stream& stream() const { return rnn->stream(); }
  float* weights() const { return rnn->device_weights(); }

  void AllocateWeightsSized(Arena* arena);
  void AllocateBatchSized(Arena* arena);
  absl::Status PlanBatch(int64_t rows, int64_t events);
  absl::Status Begin(const PackedBatch& batch);
  absl::Status Forward(const PackedBatch& batch, const DropoutSpec& dropout);
  absl::Status ForwardLayer(const PackedBatch& batch, const LayerPlan& layer,
                            const TensorView& below, const DropoutSpec& dropout,
                            TensorView* output);
  absl::Status Loss(const PackedBatch& batch, bool gradient, LossSums* sums);
  absl::Status Backward(const PackedBatch& batch, const DropoutSpec& dropout);
  absl::Status BackwardLayer(const PackedBatch& batch, const LayerPlan& layer,
                             const TensorView& below,
                             const DropoutSpec& dropout,
                             const TensorView& doutput,
                             const TensorView& dbelow);
  absl::Status BackwardCell(const LayerPlan& layer, const TensorView& doutput,
                            TensorView* dz);

  absl::Status Project(const TensorView& below, bool sparse,
                       const DenseParameters& dense, int64_t rows,
                       const TensorView& packed, const TensorView& out);
  absl::Status Accumulate(const TensorView& x, bool shifted,
                          const TensorView& dz, const TensorView& dw,
                          const TensorView& db);
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_EVENT_RNN_TRAINER_STATE_H_
