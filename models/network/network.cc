// SPDX-License-Identifier: Apache-2.0

#include "models/network/network.h"

#include "models/network/network_layers.h"

namespace continuo {

int NetworkSpec::num_classes() const {
  int total = 0;
  for (int size : head_sizes) total += size;
  return total;
}

NetworkSpec MakeNetworkSpec(const EventEncoder& encoder,
                            const Hparams& hparams) {
  NetworkSpec spec;
  spec.input_size = encoder.input_size();
  spec.head_sizes.assign(encoder.head_sizes().begin(),
                         encoder.head_sizes().end());
  spec.default_label.assign(encoder.default_label().begin(),
                            encoder.default_label().end());
  spec.layer_sizes = hparams.rnn_layer_sizes;
  spec.attn_length = hparams.attn_length;
  spec.residual_connections = hparams.residual_connections;
  spec.attention_around_stack = hparams.attention_around_stack;
  spec.cell = hparams.cell;
  return spec;
}

std::vector<Parameter> NetworkParameters(const NetworkSpec& spec) {
  // The same for all devices.
  ParameterList list;
  MakeNetworkLayers(spec, Stream(), &list);
  return list.parameters();
}

}  // namespace continuo
