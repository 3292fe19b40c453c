// SPDX-License-Identifier: Apache-2.0

// The LSTM layer (kernels/lstm/lstm.h).

#ifndef CONTINUO_MODELS_LAYERS_LSTM_LAYER_H_
#define CONTINUO_MODELS_LAYERS_LSTM_LAYER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "models/layers/layer.h"
#include "models/layers/projection.h"

namespace continuo {

// What an LSTM keeps from forward for backward; rows are events.
struct LstmArrays {
  TensorView gates;  // [E, 4n] GateType
  TensorView c;      // [E, n]
  TensorView h;      // [E, n]
};

class LstmLayer : public Layer {
 public:
  // Its variables are called scope + "basic_lstm_cell/...".
  LstmLayer(const LayerShape& shape, ParameterList* parameters);

  bool CanRecord(const Stream& stream, int64_t rows,
                 int64_t steps) const override;
  void PlanBatch(BatchPlan* plan) override;
  absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                       TensorView* output) override;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& doutput, const TensorView& dinput,
                        bool add) override;
  void PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                 std::vector<StateTensor>* states) override;
  size_t num_states() const override { return 2; }
  absl::Status Step(const DecodeStep& step, const LayerInput& input,
                    absl::Span<StateTensor> states,
                    TensorView* output) override;

  // The parts of the above, for layers that do other work between two steps.
  const LayerShape& shape() const { return shape_; }
  const Projection& input() const { return input_; }
  const WeightMatrix& recurrent() const { return recurrent_; }
  const LstmArrays& arrays() const { return arrays_; }
  void PlanArrays(BatchPlan* plan);
  // From x K + b in `gates` on, over a batch. The state before it is zero
  // where none is given.
  absl::Status Recur(const Stream& stream, const RaggedLayout& ragged,
                     const TensorView& initial_c, const TensorView& initial_h,
                     const LstmArrays& arrays) const;

 protected:
  const Parameter& kernel() const { return parameters_.kernel; }
  const Parameter& bias() const { return parameters_.bias; }

 private:
  LayerShape shape_;
  DenseParameters parameters_;  // kernel [width + n, 4n]
  Projection input_;            // rows [0, width) of the kernel
  WeightMatrix recurrent_;      // the others
  LstmArrays arrays_;           // of one step for a decoder
  TensorView dc_;               // [N, n]
  TensorView scratch_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_LSTM_LAYER_H_
