// SPDX-License-Identifier: Apache-2.0

// NetworkSpec and the one ordered list of named weights, which drives
// initialisation, save, load, optimizer slots, all-reduce and export.
// models/layers/ has the layers that the weights belong to.

#ifndef CONTINUO_MODELS_NETWORK_NETWORK_H_
#define CONTINUO_MODELS_NETWORK_NETWORK_H_

#include <cstdint>
#include <vector>

#include "data/events/encoding/event_encoder.h"
#include "models/config/cells.h"
#include "models/config/hparams.h"
#include "models/layers/parameter.h"

namespace continuo {

// Everything that decides the network's variables and arithmetic.
struct NetworkSpec {
  int input_size = 0;
  std::vector<int> head_sizes;         // classes of each softmax
  std::vector<int64_t> default_label;  // [heads], for the event accuracies
  std::vector<int> layer_sizes;
  int attn_length = 0;  // attention window; 0 = no attention
  bool residual_connections = false;
  // The attention is around the whole stack instead of layer 0, as in networks
  // of TensorFlow 0.x. Its size is that of the last layer; no residual
  // connections.
  bool attention_around_stack = false;
  Cell cell = Cell::kLstm;  // another one has no attention

  int num_classes() const;
};

NetworkSpec MakeNetworkSpec(const EventEncoder& encoder,
                            const Hparams& hparams);

// All weights in the order of Magenta's graph: layer by layer, then the output.
// Offsets are multiples of 16 elements, so tensors are 64-byte aligned when the
// buffer is; the gaps stay zero.
std::vector<Parameter> NetworkParameters(const NetworkSpec& spec);

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_NETWORK_H_
