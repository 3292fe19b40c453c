// SPDX-License-Identifier: Apache-2.0

// LayerStack: recurrent layers one upon the other.

#ifndef CONTINUO_MODELS_LAYERS_LAYER_STACK_H_
#define CONTINUO_MODELS_LAYERS_LAYER_STACK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "models/config/cells.h"
#include "models/layers/layer.h"
#include "models/layers/projection.h"

namespace continuo {

// What decides the layers of a network.
struct StackShape {
  int input_size = 0;  // columns of the sparse inputs
  std::vector<int> layer_sizes;
  int attn_length = 0;  // attention window of layer 0; 0: no attention
  // Each layer adds its input to its output; one of another width is projected
  // first.
  bool residual = false;
  Cell cell = Cell::kLstm;  // without attention alone
};

// The output of a layer, dropped out in training, is the input of the next.
class LayerStack : public Layer {
 public:
  // The forms of the layers are those for the stream.
  LayerStack(const StackShape& shape, const Stream& stream,
             ParameterList* parameters);

  void PlanWeights(const Stream& stream, bool backward, Arena* arena) override;
  absl::Status Pack(const Stream& stream, float* weights) const override;
  bool CanRecord(const Stream& stream, int64_t rows,
                 int64_t steps) const override;
  void PlanBatch(BatchPlan* plan) override;
  absl::Status PrepareBatch(const LayerPass& pass, bool backward) override;
  absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                       TensorView* output) override;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& doutput, const TensorView& dinput,
                        bool add) override;
  void PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                 std::vector<StateTensor>* states) override;
  size_t num_states() const override;
  absl::Status Step(const DecodeStep& step, const LayerInput& input,
                    absl::Span<StateTensor> states,
                    TensorView* output) override;

 private:
  // A layer and what is around it.
  struct Level {
    LayerShape shape = {};                      // of the layer
    int input = 0;                              // columns of the level's input
    std::optional<Projection> projection = {};  // of the input, to `cell_input`
    std::unique_ptr<Layer> layer = {};
    TensorView cell_input = {};  // [E, width]
    TensorView output = {};      // [E, n] after residual connection and dropout
    TensorView result = {};      // [E, n] of the last forward pass
  };

  absl::Status ForwardLevel(const LayerPass& pass, const LayerInput& input,
                            Level* level);
  absl::Status BackwardLevel(const LayerPass& pass, const LayerInput& input,
                             const TensorView& doutput,
                             const TensorView& dinput, Level* level);

  bool residual_;
  std::vector<Level> levels_;
  TensorView gradient_[2];  // [E, widest inner layer], of their outputs in turn
  TensorView dcell_input_;  // [E, widest layer] residual connections
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_LAYER_STACK_H_
