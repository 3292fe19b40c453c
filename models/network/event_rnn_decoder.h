// SPDX-License-Identifier: Apache-2.0

// EventRnnDecoder: one event at a time for many sequences at once.

#ifndef CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_H_
#define CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/records/sparse_rows.h"
#include "kernels/layers/embedding.h"
#include "models/network/event_rnn.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Recurrent state of up to `max_rows` sequences. A row's results depend on its
// own inputs alone: not on the other rows, their number or the thread count.
class EventRnnDecoder {
 public:
  static absl::StatusOr<std::unique_ptr<EventRnnDecoder>> Create(
      const EventRnn* rnn, int max_rows);
  ~EventRnnDecoder();

  // Makes rows [0, num_rows) the live ones, each with the zero state.
  absl::Status Reset(int num_rows);
  int num_rows() const;

  // Advances every live row by one event: row r takes inputs row r. `logits`
  // receives [num_rows, num_classes].
  absl::Status Step(const SparseRows& inputs, absl::Span<float> logits);

  // New row r becomes a copy of old row source[r]; num_rows becomes
  // source.size() <= max_rows. Serves branching, pruning and retiring.
  absl::Status Reorder(absl::Span<const int32_t> source);

  // The same with arrays of the stream's device, for a loop that never waits:
  // `inputs` has num_rows rows, `source` is [rows] int32 of rows that are live.
  absl::Status StepOnDevice(const SparseView& inputs);
  absl::Status ReorderOnDevice(const TensorView& source);
  // What the last step gave: [num_rows, num_classes], until the next one.
  TensorView device_logits() const;

  // Steps and reorderings on a GPU can be recorded (runtime/device/graph.h) and
  // run again by a decoder in an equal place, which then moves to where
  // recording led. Places are equal where the host would put the same work on
  // the stream: same rows and buffers, and the same slots of attention windows.
  struct Place;
  std::shared_ptr<const Place> place() const;
  std::vector<int64_t> PlaceKey() const;
  // `steps` is how many steps the recorded work makes.
  void MoveTo(const Place& place, int64_t steps);

  // The state of row r in the order of Magenta's initial_state: per layer c, h;
  // for the attention layer c, h, attention vector, window (oldest first);
  // attention around the stack has its two after all layers. One vector per
  // tensor.
  absl::StatusOr<std::vector<std::vector<float>>> GetState(int row) const;

 private:
  struct State;
  explicit EventRnnDecoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_DECODER_H_
