// SPDX-License-Identifier: Apache-2.0

// The GRU layer (kernels/gru/gru.h).

#ifndef CONTINUO_MODELS_LAYERS_GRU_LAYER_H_
#define CONTINUO_MODELS_LAYERS_GRU_LAYER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/gru/gru.h"
#include "models/layers/layer.h"
#include "models/layers/projection.h"

namespace continuo {

class GruLayer : public Layer {
 public:
  // Its variables are called scope + "gru_cell/...", as TensorFlow's GRUCell
  // calls them. The bias of the gates starts at 1, as there.
  GruLayer(const LayerShape& shape, ParameterList* parameters);

  bool CanRecord(const Stream&, int64_t, int64_t) const override {
    return false;  // steps are launched one by one
  }
  void PlanBatch(BatchPlan* plan) override;
  absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                       TensorView* output) override;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& doutput, const TensorView& dinput,
                        bool add) override;
  void PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                 std::vector<StateTensor>* states) override;
  size_t num_states() const override { return 1; }
  absl::Status Step(const DecodeStep& step, const LayerInput& input,
                    absl::Span<StateTensor> states,
                    TensorView* output) override;

 private:
  // Kept from forward for backward; of one step for a decoder. Rows are
  // events.
  struct Arrays {
    TensorView gates;      // [E, 2n]
    TensorView candidate;  // [E, n]
    TensorView reset;      // [E, n] r * h of the step before
    TensorView h;          // [E, n] batches alone
  };

  void PlanArrays(const char* what, int64_t rows, Arena* arena);
  // The first `rows` rows.
  Arrays First(int64_t rows) const;
  absl::Status Run(const Stream& stream, float* weights,
                   const RaggedLayout& ragged, const LayerInput& input,
                   const TensorView& initial_h, const Arrays& arrays) const;

  LayerShape shape_;
  DenseParameters gates_;      // kernel [width + n, 2n]
  DenseParameters candidate_;  // kernel [width + n, n]
  // Of x: rows [0, width) of the kernels; of h: the others.
  Projection gates_input_;
  Projection candidate_input_;
  WeightMatrix gates_recurrent_;
  WeightMatrix candidate_recurrent_;
  Arrays arrays_;
  TensorView dreset_;  // [N, n]
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_GRU_LAYER_H_
