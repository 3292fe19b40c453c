// SPDX-License-Identifier: Apache-2.0

#include "models/network/network_layers.h"

#include "models/layers/layer_stack.h"
#include "models/layers/outer_attention.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

std::unique_ptr<Layer> MakeBody(const NetworkSpec& spec, const Stream& stream,
                                ParameterList* parameters) {
  if (spec.attention_around_stack) {
    CONTINUO_CHECK(spec.attn_length > 0 && !spec.residual_connections);
    return std::make_unique<OuterAttention>(spec.input_size, spec.layer_sizes,
                                            spec.attn_length, parameters);
  }
  return std::make_unique<LayerStack>(
      StackShape{.input_size = spec.input_size,
                 .layer_sizes = spec.layer_sizes,
                 .attn_length = spec.attn_length,
                 .residual = spec.residual_connections,
                 .cell = spec.cell},
      stream, parameters);
}

}  // namespace

NetworkLayers MakeNetworkLayers(const NetworkSpec& spec, const Stream& stream,
                                ParameterList* parameters) {
  ParameterList own;
  if (parameters == nullptr) parameters = &own;
  NetworkLayers layers;
  layers.body = MakeBody(spec, stream, parameters);
  const int n = spec.layer_sizes.back();
  layers.logits = std::make_unique<Projection>(
      parameters->AddDense("fully_connected/weights", "fully_connected/biases",
                           n, spec.num_classes()),
      n, /*sparse=*/false);
  return layers;
}

void NetworkLayers::PlanWeights(const Stream& stream, bool backward,
                                Arena* arena) {
  body->PlanWeights(stream, backward, arena);
  logits->PlanWeights(stream, backward, arena);
}

absl::Status NetworkLayers::Pack(const Stream& stream, float* weights) const {
  CONTINUO_RETURN_IF_ERROR(body->Pack(stream, weights));
  return logits->Pack(stream, weights);
}

}  // namespace continuo
