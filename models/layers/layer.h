// SPDX-License-Identifier: Apache-2.0

// Layer: one recurrent layer of a network, or all of them, on a stream.
//
// A layer is made with its place in the list of weights, and then serves either
// a trainer (PlanBatch, then Forward and Backward for each batch) or a decoder
// (PlanSteps, then Step for each event). The calls are a few a pass: what takes
// time is in kernels/.

#ifndef CONTINUO_MODELS_LAYERS_LAYER_H_
#define CONTINUO_MODELS_LAYERS_LAYER_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/layers/embedding.h"
#include "models/config/cells.h"
#include "models/layers/parameter.h"
#include "models/layers/weight_matrix.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"
#include "runtime/device/double_buffer.h"
#include "runtime/device/tensor.h"

namespace continuo {

// What a layer is made for.
struct LayerShape {
  int index = 0;           // in the network
  int width = 0;           // columns of its input
  int units = 0;           // columns of its output
  bool sparse = false;     // the input is sparse rows
  int attn_length = 0;     // attention window
  std::string scope = {};  // of its variables, "" or with a slash at the end

  // For memory plans: "activations of layer 0".
  std::string What(absl::string_view what) const;
};

// The rows that a layer reads: dense ones, or those of a network's inputs.
struct LayerInput {
  TensorView dense = {};  // [E, width]
  const SparseView* sparse = nullptr;
};

// What layers ask for when memory for batches is laid out.
struct BatchPlan {
  Stream stream = {};
  int64_t rows = 0;    // N
  int64_t events = 0;  // E
  bool backward = false;
  Arena* arena = nullptr;  // for what lives from forward to backward
  // Floats for gradients of weights, which all layers share: the most that
  // any of them needs.
  int64_t gradient_scratch = 0;

  void NeedScratch(int64_t floats);
  // For a product of [E, k] with [k, n].
  void NeedGradientScratch(int64_t k, int64_t n);
};

// A pass over a batch, forward and perhaps backward.
struct LayerPass {
  Stream stream = {};
  float* weights = nullptr;
  float* gradient = nullptr;  // as the weights; not given: forward alone
  RaggedLayout ragged = {};
  int64_t rows = 0;          // of the batch's arrays
  int64_t events = 0;        // of the batch's arrays
  TensorView source = {};    // [N] int32, as in DropoutArgs
  TensorView previous = {};  // [E] int32, event of the same row a step before
  // The arrays are longer than the batch (runtime/device/graph.h).
  bool recorded = false;
  TensorView gradient_scratch = {};

  double keep_prob = 1.0;  // of dropout; 1: none
  uint64_t seed = 0;
  TensorView dropout_step = {};  // [1] uint64

  // dw += x^T dz, db += sums of dz; either may not be given. `shifted`: x is
  // that of the event before.
  absl::Status Accumulate(const TensorView& x, bool shifted,
                          const TensorView& dz, const TensorView& dw,
                          const TensorView& db) const;
  // Zeroes what recorded arrays of gradients hold beyond the batch: products
  // sum over all their rows. (Gradients of logits are zero there from the loss
  // on, so that products of them are too, until an operation adds others.)
  absl::Status ZeroTails(std::initializer_list<TensorView> gradients) const;
  // Dropout of the output of layer `index`, or of its gradient.
  absl::Status Drop(int index, const TensorView& x,
                    const TensorView& out) const;
};

// A state tensor of sequences that are decoded, [max_rows, columns]. Where
// `next` is not given it is changed in place.
struct StateTensor : DoubleBuffer {
  // An attention window of that many slots, the state of event e in slot
  // e mod slots; 0: not a window. Those of rows may lie anywhere (window_row).
  int64_t slots = 0;
  bool derived = false;  // follows from others: not a state of Magenta's

  // A window as the operations take it: [max_rows, slots, n].
  TensorView Slots() const;
};

// One event of every row.
struct DecodeStep {
  Stream stream = {};
  float* weights = nullptr;
  RaggedLayout ragged = {};  // of this step
  int64_t rows = 0;
  int64_t step = 0;            // events before it
  TensorView window_row = {};  // [rows] int32: the window of each
};

class Projection;

class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  // Asks the arena for packed weights, with transposed ones for `backward`,
  // and fills them from the flat weights.
  virtual void PlanWeights(const Stream& stream, bool backward, Arena* arena);
  virtual absl::Status Pack(const Stream& stream, float* weights) const;

  // Training. Whether all that a pass puts on a GPU's stream serves any batch
  // of these sizes, so that it can be recorded.
  virtual bool CanRecord(const Stream& stream, int64_t rows,
                         int64_t steps) const = 0;
  // Asks for memory for batches of at most the plan's sizes.
  virtual void PlanBatch(BatchPlan* plan) = 0;
  // Makes room for what depends on more than that, before a pass that is not
  // recorded.
  virtual absl::Status PrepareBatch(const LayerPass& pass, bool backward);
  // *output [E, units] stays valid until the next pass.
  virtual absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                               TensorView* output) = 0;
  // From doutput (overwritten), over the batch of the last forward pass: adds
  // the gradients of the weights to the pass's, and writes that of a dense
  // input to dinput, or adds it with `add`.
  virtual absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                                const TensorView& doutput,
                                const TensorView& dinput, bool add) = 0;

  // Decoding. Asks for memory for `max_rows` sequences and appends the state
  // tensors.
  virtual void PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                         std::vector<StateTensor>* states) = 0;
  // How many PlanSteps appends.
  virtual size_t num_states() const = 0;
  // Takes its states on by one event.
  virtual absl::Status Step(const DecodeStep& step, const LayerInput& input,
                            absl::Span<StateTensor> states,
                            TensorView* output) = 0;

 protected:
  // PlanWeights and Pack see to these members of the layer.
  void Packed(std::initializer_list<Projection*> projections,
              std::initializer_list<WeightMatrix*> matrices);

 private:
  std::vector<Projection*> projections_;
  std::vector<WeightMatrix*> matrices_;
};

// Adds the variables of the first product of a cell (models/config/cells.h).
DenseParameters AddCell(Cell cell, const LayerShape& shape,
                        ParameterList* parameters);

// State tensors [max_rows, columns] with a buffer for their successors, and
// those of windows, which have one on a GPU only, where they are moved whole.
StateTensor AllocateState(absl::string_view what, int64_t max_rows,
                          int64_t columns, Arena* arena);
StateTensor AllocateWindow(const Stream& stream, int64_t max_rows,
                           int64_t slots, int64_t units, bool derived,
                           Arena* arena);

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_LAYER_H_
