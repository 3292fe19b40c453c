// Where each layer's weights lie in the flat buffer, and their packed copies.

#ifndef CONTINUO_MODELS_NETWORK_EVENT_RNN_WEIGHTS_H_
#define CONTINUO_MODELS_NETWORK_EVENT_RNN_WEIGHTS_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "kernels/attention/attention.h"
#include "models/network/network.h"
#include "runtime/device/arena.h"

namespace continuo {

// A kernel and a bias of the flat buffer; `kernel` null: the layer has none.
struct DenseParameters {
  const Parameter* kernel = nullptr;
  const Parameter* bias = nullptr;
};

// The shape of one layer. Its input [E, input] becomes [E, width] by the input
// projection where there is one; the cell reads that.
struct LayerPlan {
  int index = 0;
  int units = 0;          // n
  int input = 0;          // columns of the layer's input
  int width = 0;          // columns of the cell's input
  bool sparse = false;    // the layer's input is sparse rows
  bool residual = false;  // output = cell's input + cell's output
  bool attention = false;
  DenseParameters projection;  // [input, n]
  DenseParameters wrapper;     // [width + n, width]: attention only
  DenseParameters lstm;        // [width + n, 4n]
  const Parameter* attn_w = nullptr;
  const Parameter* attn_v = nullptr;
  DenseParameters query;  // [2n, n]
  DenseParameters out;    // [2n, n]

  // True if the cell itself reads the sparse rows.
  bool sparse_cell() const { return sparse && projection.kernel == nullptr; }
};

// Attention around the whole stack. x' = [x, a] wrapper is the input of layer
// 0; the query reads the states of all layers, c0, h0, c1, h1, ...
struct StackAttentionPlan {
  int units = 0;            // n, of the last layer
  int input = 0;            // columns of x and x'
  DenseParameters wrapper;  // [input + n, input]
  const Parameter* attn_w = nullptr;
  const Parameter* attn_v = nullptr;
  DenseParameters query;  // [sum of 2 n_i, n]
  DenseParameters out;    // [2n, n]
};

struct NetworkPlan {
  std::vector<LayerPlan> layers;
  std::optional<StackAttentionPlan> stack;
  DenseParameters logits;
};

// `parameters` (of NetworkParameters(spec)) must outlive the plan.
NetworkPlan MakeNetworkPlan(const NetworkSpec& spec,
                            absl::Span<const Parameter> parameters);

// Rows [begin, end) of a matrix parameter in a flat buffer (any part of it:
// weights, gradient).
TensorView ParameterRows(float* flat, const Parameter& parameter, int64_t begin,
                         int64_t end);
// The whole parameter; leading dimensions of size 1 are dropped.
TensorView ParameterView(float* flat, const Parameter& parameter);

// A weight matrix packed for the products that read it: as it is, for forward,
// and transposed, for backward. Not given where unused.
struct PackedMatrix {
  TensorView forward;
  TensorView transposed;
};

// Packed matrices of a layer.
struct LayerPacks {
  PackedMatrix projection;  // dense input only
  PackedMatrix cell_input;  // wrapper (attention) or lstm; dense input only
  PackedMatrix recurrent;
  PackedMatrix attention_to_x;
  PackedMatrix x_to_gates;
  PackedMatrix c_to_query;
  PackedMatrix h_to_query;
  PackedMatrix attn_w;
  PackedMatrix h_to_out;
  PackedMatrix attention_to_out;
};

// Packed matrices of the attention around the stack.
struct StackAttentionPacks {
  PackedMatrix attention_to_x;
  std::vector<PackedMatrix> query;  // the rows of c0, h0, c1, h1, ...
  PackedMatrix attn_w;
  PackedMatrix h_to_out;
  PackedMatrix attention_to_out;
};

struct NetworkPacks {
  std::vector<LayerPacks> layers;
  StackAttentionPacks stack;
  PackedMatrix logits;
};

// Asks the arena for the packs (transposed ones only with `backward`).
NetworkPacks AllocatePacks(const Stream& stream, const NetworkPlan& plan,
                           bool backward, Arena* arena);

// Fills them from the flat weights.
absl::Status PackNetwork(const Stream& stream, const NetworkPlan& plan,
                         float* flat, const NetworkPacks& packs);

// What the attention operations take, from the packs and the biases in `flat`.
AttentionWeights MakeAttentionWeights(const LayerPlan& layer,
                                      const LayerPacks& packs, float* flat);
AttentionTransposes MakeAttentionTransposes(const LayerPacks& packs);

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_EVENT_RNN_WEIGHTS_H_
