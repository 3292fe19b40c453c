// SPDX-License-Identifier: Apache-2.0

// The layers of a network: the recurrent ones and the logits.

#ifndef CONTINUO_MODELS_NETWORK_NETWORK_LAYERS_H_
#define CONTINUO_MODELS_NETWORK_NETWORK_LAYERS_H_

#include <memory>

#include "absl/status/status.h"
#include "models/layers/layer.h"
#include "models/layers/projection.h"
#include "models/network/network.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"

namespace continuo {

struct NetworkLayers {
  std::unique_ptr<Layer> body;         // all recurrent layers
  std::unique_ptr<Projection> logits;  // of their output

  void PlanWeights(const Stream& stream, bool backward, Arena* arena);
  absl::Status Pack(const Stream& stream, float* weights) const;
};

// A trainer's, or a decoder's, in the forms for the stream. The weights are
// appended to `parameters`, if given.
NetworkLayers MakeNetworkLayers(const NetworkSpec& spec, const Stream& stream,
                                ParameterList* parameters = nullptr);

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_NETWORK_LAYERS_H_
