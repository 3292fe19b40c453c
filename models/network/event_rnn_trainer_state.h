// The inside of EventRnnTrainer: what it keeps, and its two passes. Only the
// event_rnn_*.cc files include this.

#ifndef CONTINUO_MODELS_NETWORK_EVENT_RNN_TRAINER_STATE_H_
#define CONTINUO_MODELS_NETWORK_EVENT_RNN_TRAINER_STATE_H_

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "models/network/device_batch.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_weights.h"
#include "models/network/views.h"
#include "runtime/base/log.h"
#include "runtime/device/arena.h"
#include "runtime/device/graph.h"

namespace continuo {

// What a layer, or attention around all of them, keeps from forward for
// backward; rows are events.
struct LayerArrays {
  TensorView cell_input;     // [E, width] projected input
  TensorView x;              // [E, width] x' of the attention wrapper
  TensorView gates;          // [E, 4n] GateType
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
  std::vector<TensorView> layer_dc;  // [N, n_i] attention around the stack
  TensorView scratch;                // weight gradients, one after the other
};

// What layers by cuDNN need: grown by the batches that come.
struct CudnnArrays {
  std::unique_ptr<Arena> arena;
  std::vector<TensorView> arrays;  // none yet, or:
  TensorView scratch() const { return arrays[0]; }
  TensorView x() const { return arrays[1]; }   // [E, width] sparse inputs
  TensorView dx() const { return arrays[2]; }  // [E, widest input]
  TensorView reserve(int layer) const { return arrays[3 + layer]; }
};

// What a pass computes for the host, in one piece of memory.
struct ResultArrays {
  TensorView all;            // [all of the next] uint64
  TensorView cross_entropy;  // [1] double, as the next three in SoftmaxLossArgs
  TensorView counts;         // [4] int64
  TensorView class_labels;   // [classes] int64
  TensorView class_correct;  // [classes] int64
  TensorView squared_norms;  // [tensors] double
};

// What is done with a batch, and the constants of it that a recording keeps.
struct Pass {
  bool gradient = false;
  bool update = false;
  double keep_prob = 1.0;
  uint64_t seed = 0;
  double clip_norm = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
  auto operator<=>(const Pass&) const = default;
};

struct EventRnnTrainer::State {
  EventRnn* rnn = nullptr;
  bool inference_only = false;
  int64_t max_rows = 0;
  int64_t max_events = 0;
  NetworkPlan plan;

  // Weights-sized: live as long as the trainer.
  std::unique_ptr<Arena> weights_arena;
  NetworkPacks packs;
  uint64_t packed_version = ~uint64_t{0};
  TensorView gradient;  // [flat]
  TensorView m;         // [flat]
  TensorView v;         // [flat]
  TensorView adam_scratch;
  TensorView head_begin;     // [heads + 1] int32, as in SoftmaxLossArgs
  TensorView default_label;  // [heads] int64
  TensorView tensor_begin;   // [tensors + 1] int64
  ResultArrays results;
  std::unique_ptr<Arena> host_arena;  // pinned
  ResultArrays host_results;

  // Batch-sized: made anew when a larger batch comes.
  std::unique_ptr<Arena> batch_arena;
  std::vector<LayerArrays> layers;
  LayerArrays stack;      // attention around the stack
  TensorView window_row;  // [N] int32, each row's own number, for the same
  BackwardArrays backward;
  TensorView logits;      // [E, classes]
  TensorView dlogits;     // [E, classes]
  TensorView predicted;   // [E * heads] int32
  TensorView chunk_sums;  // [chunks] double
  TensorView lstm_scratch;
  TensorView attention_scratch;
  CudnnArrays cudnn;

  // The current batch. If `recorded`, what is put on the stream serves other
  // batches of the bucket too.
  std::unique_ptr<DeviceBatch> batch;
  bool recorded = false;
  std::vector<TensorView> outputs;  // [E, n] of each layer

  // Recordings of passes over arrays of generation `graphs_generation`; none
  // yet where the first batch of the shape has been the only one.
  std::map<std::pair<Pass, BatchShape>, std::optional<Graph>> graphs;
  uint64_t graphs_generation = 0;
  int64_t num_recordings = 0;

  const Stream& stream() const { return rnn->stream(); }
  float* weights() const { return rnn->device_weights(); }

  // Rows of the arrays of the current batch.
  int64_t events() const { return batch->shape().events; }
  // What the logits are computed from.
  TensorView network_output() const {
    return plan.stack.has_value() ? Rows(stack.out, events()) : outputs.back();
  }

  void AllocateWeightsSized(Arena* arena);
  void AllocateBatchSized(Arena* arena);
  void AllocateAttention(int64_t width, int64_t units, LayerArrays* arrays,
                         Arena* arena);
  ResultArrays AllocateResults(Arena* arena) const;
  absl::Status PlanBatch(int64_t rows, int64_t events);
  absl::Status UploadConstants();
  absl::Status Read(const TensorView& array, absl::Span<float> to) const;

  // event_rnn_pass.cc: a pass over a batch, with its results read by the host.
  absl::Status Run(const PackedBatch& input, const Pass& pass,
                   const StepScalars& scalars);
  bool CanRecord(const PackedBatch& input) const;
  absl::Status Operations(const Pass& pass);
  absl::Status RunRecorded(const Pass& pass);
  absl::Status Pack();
  absl::Status Update(const Pass& pass);
  absl::Status ReadResults();
  void AddLoss(const PackedBatch& input, LossSums* sums) const;
  double GradientNorm() const;

  // event_rnn_forward.cc.
  absl::Status Forward(const Pass& pass);
  absl::Status ForwardLayers(const Pass& pass);
  absl::Status ForwardLayer(const LayerPlan& layer, const TensorView& below,
                            const Pass& pass, TensorView* output);
  absl::Status Loss(const Pass& pass);

  // event_rnn_stack_forward.cc and event_rnn_stack_backward.cc: attention
  // around the stack, whose layers go through time together.
  int64_t StepBegin(int64_t t) const;
  int64_t StepRows(int64_t t) const;
  RaggedLayout StepLayout(int64_t t) const;
  absl::Status DropStep(int64_t t, int layer, const Pass& pass,
                        const TensorView& x, const TensorView& out);
  absl::Status ForwardStack(const Pass& pass);
  absl::Status ForwardStackStep(int64_t t, const Pass& pass);
  absl::Status AttendStack(int64_t t);
  TensorView StackDout() const;
  absl::Status BackwardStack(const Pass& pass);
  absl::Status BackwardStackStep(int64_t t, const Pass& pass);
  absl::Status BackwardStackLayers(int64_t t, const Pass& pass);
  absl::Status StackWeightGradients();

  // event_rnn_cudnn.cc.
  bool UsesCudnn(const LayerPlan& layer) const;
  absl::Status PlanCudnn();
  absl::Status CudnnForward(const LayerPlan& layer, const TensorView& input,
                            const Pass& pass);
  absl::Status CudnnBackward(const LayerPlan& layer, const TensorView& input,
                             const TensorView& doutput,
                             const TensorView& dinput);

  // event_rnn_backward.cc.
  absl::Status Backward(const Pass& pass);
  absl::Status BackwardLayers(const Pass& pass);
  absl::Status BackwardLayer(const LayerPlan& layer, const TensorView& below,
                             const Pass& pass, const TensorView& doutput,
                             const TensorView& dbelow);
  absl::Status BackwardCell(const LayerPlan& layer, const TensorView& doutput,
                            TensorView* dz);
  absl::Status BackwardOwnCell(const LayerPlan& layer, const TensorView& input,
                               const TensorView& doutput,
                               const TensorView& dinput);
  absl::Status DropTail(std::initializer_list<TensorView> gradients);

  absl::Status Project(const TensorView& below, bool sparse,
                       const DenseParameters& dense, int64_t rows,
                       const TensorView& packed, const TensorView& out);
  absl::Status Accumulate(const TensorView& x, bool shifted,
                          const TensorView& dz, const TensorView& dw,
                          const TensorView& db);
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_TRAINER_STATE_H_
