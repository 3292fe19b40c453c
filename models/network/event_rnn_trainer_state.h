// SPDX-License-Identifier: Apache-2.0

// The inside of EventRnnTrainer: what it keeps besides the layers, and a pass
// over a batch. Only event_rnn_*.cc of the trainer include this.

#ifndef CONTINUO_MODELS_NETWORK_EVENT_RNN_TRAINER_STATE_H_
#define CONTINUO_MODELS_NETWORK_EVENT_RNN_TRAINER_STATE_H_

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "models/layers/layer.h"
#include "models/network/device_batch.h"
#include "models/network/event_rnn.h"
#include "models/network/network_layers.h"
#include "models/network/sum_tree.h"
#include "runtime/base/log.h"
#include "runtime/device/arena.h"
#include "runtime/device/graph.h"

namespace continuo {

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
  AdamParams adam = {};  // of the update
  auto operator<=>(const Pass&) const = default;
};

struct EventRnnTrainer::State {
  EventRnn* rnn = nullptr;
  bool inference_only = false;
  GradientShare share;
  int64_t max_rows = 0;
  int64_t max_events = 0;
  NetworkLayers layers;

  // Weights-sized: live as long as the trainer.
  std::unique_ptr<Arena> weights_arena;
  uint64_t packed_version = ~uint64_t{0};
  TensorView gradient;  // [flat]
  TensorView sums;      // [places of `tree`, flat]
  TensorView m;         // [flat]
  TensorView v;         // [flat]
  TensorView adam_scratch;
  TensorView head_begin;     // [heads + 1] int32, as in SoftmaxLossArgs
  TensorView default_label;  // [heads] int64
  TensorView tensor_begin;   // [tensors + 1] int64
  ResultArrays results;
  std::unique_ptr<Arena> host_arena;  // pinned
  ResultArrays host_results;

  SumTree tree;  // of the gradients that are in `sums`

  // Of a reduction between ranks.
  std::vector<int64_t> slice_begin;         // [ranks + 1] of the flat gradient
  std::vector<std::vector<SumNode>> nodes;  // of each rank
  TensorView received;                      // [all nodes, own slice]

  // Batch-sized: made anew when a larger batch comes. The layers have theirs
  // there, too.
  std::unique_ptr<Arena> batch_arena;
  TensorView logits;      // [E, classes]
  TensorView dlogits;     // [E, classes]
  TensorView doutput;     // [E, n] gradient of the last layer's output
  TensorView predicted;   // [E * heads] int32
  TensorView chunk_sums;  // [chunks] double
  TensorView gradient_scratch;

  // The current batch. If `recorded`, what is put on the stream serves other
  // batches of the bucket too.
  std::unique_ptr<DeviceBatch> batch;
  bool recorded = false;

  // Recordings of passes over arrays of generation `graphs_generation`; none
  // yet where the first batch of the shape has been the only one.
  std::map<std::pair<Pass, BatchShape>, std::optional<Graph>> graphs;
  uint64_t graphs_generation = 0;
  int64_t num_recordings = 0;

  const Stream& stream() const { return rnn->stream(); }
  float* weights() const { return rnn->device_weights(); }

  // Rows of the arrays of the current batch.
  int64_t events() const { return batch->shape().events; }

  void AllocateWeightsSized(Arena* arena);
  void AllocateBatchSized(Arena* arena);
  ResultArrays AllocateResults(Arena* arena) const;
  absl::Status PlanBatch(int64_t rows, int64_t events);
  absl::Status UploadConstants();
  absl::Status Read(const TensorView& array, absl::Span<float> to) const;

  // event_rnn_pass.cc: a pass over a batch, with its results read by the host.
  absl::Status Run(const PackedBatch& input, const Pass& pass,
                   const StepScalars& scalars);
  bool CanRecord(const PackedBatch& input) const;
  LayerPass MakeLayerPass(const Pass& pass) const;
  absl::Status Operations(const Pass& pass);
  absl::Status RunRecorded(const Pass& pass);
  absl::Status Pack();
  absl::Status Loss(const Pass& pass);
  absl::Status Update(const Pass& pass);
  absl::Status ReadResults();
  void AddLoss(const PackedBatch& input, LossSums* sums) const;
  double GradientNorm() const;
  // Fills `gradient`; the mean is over `labels`.
  absl::Status Gradient(const PackedBatch& input, const DropoutSpec& dropout,
                        int64_t labels);

  // event_rnn_micro_batches.cc
  void AllocateSums(Arena* arena);
  TensorView OwnNode(int place) const;
  absl::Status PushGradient(int k);

  // event_rnn_reduction.cc
  void AllocateReduction(Arena* arena);
  int64_t OwnSlice() const;
  absl::Status ExchangeNodes();
  absl::Status AddNodes();
  absl::Status ReduceExactly();
  absl::Status ReduceByLibrary();
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_TRAINER_STATE_H_
