// SPDX-License-Identifier: Apache-2.0

// OuterAttention: attention around all LSTM layers, as in networks of
// TensorFlow 0.x.
//
// The input of layer 0 reads the attention vector of the step before, which
// reads the states of all layers: they go through time together, step by step.
// Only the sparse inputs and the logits are products over all events. On a GPU
// that is some twenty launches a step; such networks are old ones that are
// tuned or evaluated, not trained for days.

#ifndef CONTINUO_MODELS_LAYERS_OUTER_ATTENTION_H_
#define CONTINUO_MODELS_LAYERS_OUTER_ATTENTION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/attention/attention_window.h"
#include "models/layers/layer.h"
#include "models/layers/lstm_layer.h"
#include "models/layers/projection.h"

namespace continuo {

class OuterAttention : public Layer {
 public:
  // One layer for each of `layer_sizes`, on sparse rows of `input` columns.
  OuterAttention(int input, absl::Span<const int> layer_sizes, int attn_length,
                 ParameterList* parameters);

  void PlanWeights(const Stream& stream, bool backward, Arena* arena) override;
  absl::Status Pack(const Stream& stream, float* weights) const override;
  bool CanRecord(const Stream&, int64_t, int64_t) const override {
    return false;
  }
  void PlanBatch(BatchPlan* plan) override;
  absl::Status PrepareBatch(const LayerPass& pass, bool backward) override;
  absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                       TensorView* output) override;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& doutput, const TensorView& dinput,
                        bool add) override;
  void PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                 std::vector<StateTensor>* states) override;
  size_t num_states() const override { return 2 * cells_.size() + 3; }
  absl::Status Step(const DecodeStep& step, const LayerInput& input,
                    absl::Span<StateTensor> states,
                    TensorView* output) override;

 private:
  // Kept from forward for backward; of one step for a decoder. Rows are
  // events.
  struct Arrays {
    TensorView x;              // [E, input] x' = [x, a] K + b
    TensorView query;          // [E, n]
    TensorView probabilities;  // [E, A]
    TensorView attention;      // [E, n] batches alone
    TensorView out;            // [E, n]
    TensorView projected;      // [E, n]
    TensorView window[2];      // [N, A, n] batches alone
  };
  // What only backward needs.
  struct Gradients {
    TensorView x;               // [E, input]
    TensorView projected;       // [E, n]
    TensorView h;               // [E, widest layer]
    TensorView attention;       // [N, n]
    TensorView score;           // [N, n]
    TensorView probabilities;   // [N, A]
    std::vector<TensorView> c;  // [N, n_i]
  };

  // A layer at one step.
  struct CellStep {
    LstmArrays arrays = {};  // as LstmLayer::Recur takes them
    TensorView initial_c = {},
               initial_h = {};  // the step before, or not given: zeros
    TensorView gates = {}, c = {}, h = {};  // [N, ...] the rows of this step
    TensorView output = {};                 // [N, n] h, dropped out in training
  };
  // Everything at one step.
  struct OneStep {
    Stream stream = {};
    float* weights = nullptr;
    RaggedLayout ragged = {};  // of this step alone
    WindowArrays window = {};
    TensorView previous_attention = {};  // [N, n], or not given: zeros
    TensorView x = {}, query = {}, probabilities = {}, attention = {}, out = {},
               projected = {};  // [N, ...]
    std::vector<CellStep> cells = {};
  };

  void PlanArrays(int64_t rows, Arena* arena);
  // The part that `x` has from the inputs is there.
  // `drop(i)` makes the output of layer i from its h.
  absl::Status Run(const OneStep& step,
                   absl::FunctionRef<absl::Status(size_t)> drop) const;
  absl::Status Attend(const OneStep& step) const;
  OneStep BatchStep(const LayerPass& pass, int64_t t) const;

  absl::Status BackwardStep(const LayerPass& pass, const TensorView& doutput,
                            int64_t t) const;
  absl::Status BackwardCells(const LayerPass& pass, const TensorView& doutput,
                             int64_t t) const;
  absl::Status WeightGradients(const LayerPass& pass, const LayerInput& input,
                               const TensorView& doutput) const;
  absl::Status CellGradients(const LayerPass& pass) const;

  int units_;  // n, of the last layer
  int input_size_;
  int attn_length_;
  DenseParameters wrapper_;  // [input + n, input]
  std::vector<std::unique_ptr<LstmLayer>> cells_;
  Parameter attn_w_;       // [n, n]
  Parameter attn_v_;       // [n]
  DenseParameters query_;  // [sum of 2 n_i, n]
  DenseParameters out_;    // [2n, n]

  Projection input_;  // rows [0, input) of the wrapper
  WeightMatrix attention_to_x_;
  std::vector<WeightMatrix> state_to_query_;  // rows of c0, h0, c1, h1, ...
  WeightMatrix project_;
  WeightMatrix h_to_out_;
  WeightMatrix attention_to_out_;

  Arrays arrays_;
  Gradients gradients_;
  std::vector<TensorView> outputs_;  // [E, n_i] where there is dropout
  std::vector<TensorView> results_;  // [E, n_i] of the last forward pass
  // Each row's own number: in a batch it has its own window.
  std::vector<int32_t> host_window_row_;  // [N]
  TensorView window_row_;                 // [N] int32
  bool numbered_ = false;                 // window_row_ holds them
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_OUTER_ATTENTION_H_
