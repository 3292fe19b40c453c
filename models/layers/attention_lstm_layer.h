// SPDX-License-Identifier: Apache-2.0

// The LSTM layer within Magenta's attention wrapper
// (kernels/attention/attention.h).

#ifndef CONTINUO_MODELS_LAYERS_ATTENTION_LSTM_LAYER_H_
#define CONTINUO_MODELS_LAYERS_ATTENTION_LSTM_LAYER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/attention/attention.h"
#include "models/layers/layer.h"
#include "models/layers/projection.h"

namespace continuo {

class AttentionLstmLayer : public Layer {
 public:
  // Its variables are called scope + "attention_cell_wrapper/...".
  AttentionLstmLayer(const LayerShape& shape, ParameterList* parameters);

  bool CanRecord(const Stream&, int64_t, int64_t) const override {
    return true;
  }
  void PlanBatch(BatchPlan* plan) override;
  absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                       TensorView* output) override;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& doutput, const TensorView& dinput,
                        bool add) override;
  void PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                 std::vector<StateTensor>* states) override;
  size_t num_states() const override { return 5; }
  absl::Status Step(const DecodeStep& step, const LayerInput& input,
                    absl::Span<StateTensor> states,
                    TensorView* output) override;

 private:
  // Kept from forward for backward; of one step for a decoder. Rows are
  // events.
  struct Arrays {
    TensorView x;              // [E, width] x' of the attention wrapper
    TensorView gates;          // [E, 4n] GateType
    TensorView c;              // [E, n] batches alone, as h and attention
    TensorView h;              // [E, n]
    TensorView query;          // [E, n]
    TensorView probabilities;  // [E, A]
    TensorView attention;      // [E, n]
    TensorView out;            // [E, n]
    TensorView projected;      // [E, n]
    TensorView window[2];      // [N, A, n]
    TensorView scratch;
  };
  // What only backward needs.
  struct Gradients {
    TensorView x;          // [E, width], of x'
    TensorView projected;  // [E, n]
    TensorView h;          // [N, n], as the next three
    TensorView c;
    TensorView attention;
    TensorView score;
    TensorView probabilities;  // [N, A]
    TensorView window[2];      // [N, A, n]
  };

  // What both a batch and a step have, in `rows` rows.
  void PlanArrays(const std::string& what, const Stream& stream, int64_t rows,
                  Arena* arena);
  AttentionWeights Weights(float* flat) const;
  AttentionTransposes Transposes() const;
  absl::Status WeightGradients(const LayerPass& pass,
                               const TensorView& doutput) const;

  LayerShape shape_;
  DenseParameters wrapper_;  // [width + n, width]
  DenseParameters lstm_;     // [width + n, 4n]
  Parameter attn_w_;         // [n, n]
  Parameter attn_v_;         // [n]
  DenseParameters query_;    // [2n, n]
  DenseParameters out_;      // [2n, n]

  Projection input_;  // of x to x': rows [0, width) of the wrapper
  WeightMatrix attention_to_x_;
  WeightMatrix x_to_gates_;
  WeightMatrix recurrent_;
  WeightMatrix c_to_query_;
  WeightMatrix h_to_query_;
  WeightMatrix project_;
  WeightMatrix h_to_out_;
  WeightMatrix attention_to_out_;

  Arrays arrays_;
  Gradients gradients_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_ATTENTION_LSTM_LAYER_H_
