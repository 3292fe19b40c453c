// SPDX-License-Identifier: Apache-2.0

// The LSTM layer by cuDNN in place of the project's own
// (kernels/lstm/lstm_cudnn.h). What differs: sparse inputs are written out, the
// gradient of a residual connection is added afterwards, and the size of what
// forward keeps is known once the batch is. It decodes as any LSTM layer.

#ifndef CONTINUO_MODELS_LAYERS_CUDNN_LSTM_LAYER_H_
#define CONTINUO_MODELS_LAYERS_CUDNN_LSTM_LAYER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "models/layers/lstm_layer.h"

namespace continuo {

class CudnnLstmLayer : public LstmLayer {
 public:
  using LstmLayer::LstmLayer;

  bool CanRecord(const Stream&, int64_t, int64_t) const override {
    return false;  // cuDNN takes the rows' lengths from the host
  }
  void PlanBatch(BatchPlan* plan) override;
  absl::Status PrepareBatch(const LayerPass& pass, bool backward) override;
  absl::Status Forward(const LayerPass& pass, const LayerInput& input,
                       TensorView* output) override;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& doutput, const TensorView& dinput,
                        bool add) override;

 private:
  // Grown by the batches that come.
  struct Arrays {
    TensorView scratch;
    TensorView reserve;  // from forward for backward
    TensorView x;        // [E, width] sparse inputs
    TensorView dx;       // [E, width] of a residual connection or sparse ones
  };
  TensorView X(const LayerPass& pass, const LayerInput& input) const;

  TensorView h_;  // [E, n]
  std::unique_ptr<Arena> arena_;
  Arrays arrays_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_CUDNN_LSTM_LAYER_H_
