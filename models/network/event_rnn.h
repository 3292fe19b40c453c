// SPDX-License-Identifier: Apache-2.0

// EventRnn: the network on a device, its flat weights, and training on it.
//
// Nothing here or above knows which device computes; the operations in kernels/
// dispatch by Stream.

#ifndef CONTINUO_MODELS_NETWORK_EVENT_RNN_H_
#define CONTINUO_MODELS_NETWORK_EVENT_RNN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/records/batch.h"
#include "data/records/micro_batches.h"
#include "kernels/layers/optimizer.h"
#include "models/network/network.h"
#include "runtime/collective/collective.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"

namespace continuo {

// Sums over the events of a batch, from which every metric is derived. Exact
// integers where they count; doubles summed in a fixed order.
struct LossSums {
  double cross_entropy = 0;  // nats, over events and heads
  int64_t labels = 0;        // events * heads
  int64_t correct = 0;       // argmax == label, over labels
  int64_t event_labels = 0;  // labels that are not the default label
  int64_t event_correct = 0;
  int64_t no_event_labels = 0;  // labels that are the default label
  int64_t no_event_correct = 0;
  std::vector<int64_t> class_labels;   // [num_classes], labels of each class
  std::vector<int64_t> class_correct;  // [num_classes], of these predicted
};

// Dropout of one pass: a mask element is a pure function of (seed, step, layer,
// the row's position in the drawn order, time step, unit), so that no result
// depends on batching, threads or device. keep_prob 1 = off.
struct DropoutSpec {
  double keep_prob = 1.0;
  uint64_t seed = 0;
  uint64_t step = 0;
};

// One update.
struct AdamSpec {
  double learning_rate = 0.001;
  AdamParams params = {};
  int64_t step = 1;  // t of the bias correction, 1 for the first update
};

// The weights of a network on a device.
class EventRnn {
 public:
  static absl::StatusOr<std::unique_ptr<EventRnn>> Create(
      const NetworkSpec& spec, const Stream& stream);
  ~EventRnn();

  const NetworkSpec& spec() const;
  const Stream& stream() const;
  absl::Span<const Parameter> parameters() const;
  int64_t flat_size() const;

  // Copies the flat buffer ([flat_size], layout of parameters()) in or out.
  absl::Status SetWeights(absl::Span<const float> flat);
  absl::Status GetWeights(absl::Span<float> flat) const;

  // The flat buffer on the device, for the operations in this folder. Who
  // writes to it calls MarkChanged: packed copies of the weights are renewed
  // when version() has moved on.
  float* device_weights() const;
  void MarkChanged();
  uint64_t version() const;

 private:
  struct State;
  explicit EventRnn(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// How the gradients of several ranks are added: exactly as one process adds
// them, or in the order of the communication library (ncclAllReduce).
enum class Reduction { kExact, kLibrary };

// Which micro-batches of each batch a trainer computes the gradients of, and
// with whom it adds them up.
struct GradientShare {
  int micro_batches = 1;             // of a batch, in all
  Collective* collective = nullptr;  // not owned; null = one process
  Reduction reduction = Reduction::kExact;

  MicroBatchRange range() const;  // its own
};

// Gradients, Adam slots and activations of one EventRnn.
class EventRnnTrainer {
 public:
  // Plans memory for batches of at most `max_rows` sequences and `max_events`
  // events (it grows if a batch is larger). With `inference_only` neither
  // gradients nor slots are allocated and only Evaluate may be called.
  // `share` is of ComputePart and Reduce.
  static absl::StatusOr<std::unique_ptr<EventRnnTrainer>> Create(
      EventRnn* rnn, int max_rows, int64_t max_events,
      bool inference_only = false, const GradientShare& share = {});
  ~EventRnnTrainer();

  std::vector<MemoryPlanLine> memory_plan() const;

  // Forward and backward over a batch: fills the flat gradient with the
  // gradient of the mean cross-entropy over labels, and adds to `sums`.
  absl::Status ComputeGradients(const PackedBatch& batch,
                                const DropoutSpec& dropout, LossSums* sums);

  // The same of the own share of a batch, a micro-batch at a time; the loss is
  // the mean over the whole batch. `sums` receives those of each micro-batch.
  absl::Status ComputePart(const BatchPart& part, const DropoutSpec& dropout,
                           std::vector<LossSums>* sums);

  // After ComputePart, on all ranks: fills the flat gradient with that of the
  // whole batch, the gradients of all micro-batches added by the tree of
  // models/network/sum_tree.h. The bits do not depend on the number of ranks.
  absl::Status Reduce();

  // Clips each tensor of the gradient and applies one Adam step.
  // `gradient_norm` receives the global L2 norm before clipping.
  absl::Status ApplyGradients(const AdamSpec& adam, double* gradient_norm);

  // Both at once, which is how to train: on a CUDA device one piece of work,
  // for whose end the host waits once. Where the loss comes out not finite
  // (`gradient_norm` is then left as it was on the CPU) the weights and slots
  // are not to be used any more: a CUDA device has updated them.
  absl::Status TrainStep(const PackedBatch& batch, const DropoutSpec& dropout,
                         const AdamSpec& adam, LossSums* sums,
                         double* gradient_norm);

  // Forward only; adds to `sums` (sizes it on first use).
  absl::Status Evaluate(const PackedBatch& batch, const DropoutSpec& dropout,
                        LossSums* sums);

  // Passes that have been recorded so far, to be launched as one piece of work.
  int64_t num_recordings() const;

  // Logits of the last forward pass, [E, num_classes] in packed order.
  absl::Status GetLogits(std::vector<float>* logits) const;

  // Flat buffers of [flat_size]: gradient, Adam m ("/Adam"), v ("/Adam_1").
  absl::Status GetGradient(absl::Span<float> flat) const;
  absl::Status GetSlots(absl::Span<float> m, absl::Span<float> v) const;
  absl::Status SetSlots(absl::Span<const float> m, absl::Span<const float> v);

 private:
  struct State;
  explicit EventRnnTrainer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_H_
