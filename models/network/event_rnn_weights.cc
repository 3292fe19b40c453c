#include "models/network/event_rnn_weights.h"

#include "kernels/gemm/gemm.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Hands out parameters in the order of NetworkParameters.
struct Cursor {
  absl::Span<const Parameter> parameters;
  size_t next = 0;

  const Parameter* Take() {
    CONTINUO_CHECK(next < parameters.size());
    return &parameters[next++];
  }
  DenseParameters TakeDense() {
    DenseParameters dense;
    dense.kernel = Take();
    dense.bias = Take();
    return dense;
  }
};

// A matrix that a layer multiplies with: rows of a parameter and their packs.
struct Matrix {
  const Parameter* parameter;
  int64_t begin;
  int64_t end;
  PackedMatrix LayerPacks::*pack;
};

// All matrices of a layer that multiply dense arrays, in one order for planning
// and packing.
std::vector<Matrix> Matrices(const LayerPlan& layer) {
  std::vector<Matrix> matrices;
  const auto add = [&](const Parameter* parameter, int64_t begin, int64_t end,
                       PackedMatrix LayerPacks::*pack) {
    matrices.push_back({parameter, begin, end, pack});
  };
  const int64_t n = layer.units;
  const int64_t width = layer.width;
  if (layer.projection.kernel != nullptr && !layer.sparse) {
    add(layer.projection.kernel, 0, layer.input, &LayerPacks::projection);
  }
  if (layer.attention) {
    if (!layer.sparse_cell()) {
      add(layer.wrapper.kernel, 0, width, &LayerPacks::cell_input);
    }
    add(layer.wrapper.kernel, width, width + n, &LayerPacks::attention_to_x);
    add(layer.lstm.kernel, 0, width, &LayerPacks::x_to_gates);
    add(layer.query.kernel, 0, n, &LayerPacks::c_to_query);
    add(layer.query.kernel, n, 2 * n, &LayerPacks::h_to_query);
    add(layer.attn_w, 0, n, &LayerPacks::attn_w);
    add(layer.out.kernel, 0, n, &LayerPacks::h_to_out);
    add(layer.out.kernel, n, 2 * n, &LayerPacks::attention_to_out);
  } else if (!layer.sparse_cell()) {
    add(layer.lstm.kernel, 0, width, &LayerPacks::cell_input);
  }
  add(layer.lstm.kernel, width, width + n, &LayerPacks::recurrent);
  return matrices;
}

// The same of the attention around the stack.
struct StackMatrix {
  const Parameter* parameter;
  int64_t begin;
  int64_t end;
  PackedMatrix* packed;
};

std::vector<StackMatrix> StackMatrices(const NetworkPlan& plan,
                                       StackAttentionPacks* packs) {
  if (!plan.stack.has_value()) return {};
  const StackAttentionPlan& stack = *plan.stack;
  const int64_t n = stack.units;
  std::vector<StackMatrix> matrices = {
      {stack.wrapper.kernel, stack.input, stack.input + n,
       &packs->attention_to_x},
      {stack.attn_w, 0, n, &packs->attn_w},
      {stack.out.kernel, 0, n, &packs->h_to_out},
      {stack.out.kernel, n, 2 * n, &packs->attention_to_out}};
  packs->query.resize(2 * plan.layers.size());
  int64_t begin = 0;
  for (size_t i = 0; i < packs->query.size(); ++i) {
    const int64_t end = begin + plan.layers[i / 2].units;
    matrices.push_back({stack.query.kernel, begin, end, &packs->query[i]});
    begin = end;
  }
  return matrices;
}

int64_t Columns(const Parameter& parameter) {
  return parameter.shape[parameter.shape.rank() - 1];
}

PackedMatrix AllocatePack(const Stream& stream, int64_t k, int64_t n,
                          bool transpose, Arena* arena) {
  constexpr char kWhat[] = "packed weights";
  PackedMatrix pack;
  pack.forward = arena->Allocate<float>(kWhat, {PackedSize(stream, k, n)});
  if (transpose) {
    pack.transposed = arena->Allocate<float>(kWhat, {PackedSize(stream, n, k)});
  }
  return pack;
}

absl::Status Pack(const Stream& stream, const TensorView& matrix,
                  const PackedMatrix& pack) {
  CONTINUO_RETURN_IF_ERROR(
      PackMatrix(stream, {.matrix = matrix, .packed = pack.forward}));
  if (!pack.transposed) return absl::OkStatus();
  return PackMatrix(
      stream, {.matrix = matrix, .transpose = true, .packed = pack.transposed});
}

}  // namespace

NetworkPlan MakeNetworkPlan(const NetworkSpec& spec,
                            absl::Span<const Parameter> parameters) {
  NetworkPlan plan;
  Cursor cursor = {parameters};
  int input = spec.input_size;
  if (spec.attention_around_stack) {
    plan.stack.emplace();
    plan.stack->units = spec.layer_sizes.back();
    plan.stack->input = spec.input_size;
    plan.stack->wrapper = cursor.TakeDense();
  }
  for (size_t i = 0; i < spec.layer_sizes.size(); ++i) {
    LayerPlan layer;
    layer.index = static_cast<int>(i);
    layer.units = spec.layer_sizes[i];
    layer.input = input;
    layer.width = input;
    layer.sparse = i == 0 && !plan.stack.has_value();
    layer.residual = spec.residual_connections;
    layer.attention = i == 0 && spec.attn_length > 0 && !plan.stack.has_value();
    if (layer.residual && (layer.sparse || input != layer.units)) {
      layer.projection = cursor.TakeDense();
      layer.width = layer.units;
    }
    if (layer.attention) layer.wrapper = cursor.TakeDense();
    layer.lstm = cursor.TakeDense();
    if (layer.attention) {
      layer.attn_w = cursor.Take();
      layer.attn_v = cursor.Take();
      layer.query = cursor.TakeDense();
      layer.out = cursor.TakeDense();
    }
    plan.layers.push_back(layer);
    input = layer.units;
  }
  if (plan.stack.has_value()) {
    plan.stack->attn_w = cursor.Take();
    plan.stack->attn_v = cursor.Take();
    plan.stack->query = cursor.TakeDense();
    plan.stack->out = cursor.TakeDense();
  }
  plan.logits = cursor.TakeDense();
  CONTINUO_CHECK(cursor.next == parameters.size());
  return plan;
}

TensorView ParameterRows(float* flat, const Parameter& parameter, int64_t begin,
                         int64_t end) {
  const int64_t columns = Columns(parameter);
  CONTINUO_CHECK(begin <= end && end * columns <= parameter.size);
  return TensorView(flat + parameter.offset + begin * columns,
                    {end - begin, columns});
}

TensorView ParameterView(float* flat, const Parameter& parameter) {
  if (parameter.shape.rank() == 1) {
    return TensorView(flat + parameter.offset, parameter.shape);
  }
  return ParameterRows(flat, parameter, 0, parameter.size / Columns(parameter));
}

NetworkPacks AllocatePacks(const Stream& stream, const NetworkPlan& plan,
                           bool backward, Arena* arena) {
  NetworkPacks packs;
  for (const LayerPlan& layer : plan.layers) {
    LayerPacks& layer_packs = packs.layers.emplace_back();
    for (const Matrix& matrix : Matrices(layer)) {
      layer_packs.*matrix.pack =
          AllocatePack(stream, matrix.end - matrix.begin,
                       Columns(*matrix.parameter), backward, arena);
    }
  }
  for (const StackMatrix& matrix : StackMatrices(plan, &packs.stack)) {
    *matrix.packed = AllocatePack(stream, matrix.end - matrix.begin,
                                  Columns(*matrix.parameter), backward, arena);
  }
  const Parameter& logits = *plan.logits.kernel;
  packs.logits =
      AllocatePack(stream, logits.shape[0], logits.shape[1], backward, arena);
  return packs;
}

absl::Status PackNetwork(const Stream& stream, const NetworkPlan& plan,
                         float* flat, const NetworkPacks& packs) {
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    for (const Matrix& matrix : Matrices(plan.layers[i])) {
      CONTINUO_RETURN_IF_ERROR(
          Pack(stream,
               ParameterRows(flat, *matrix.parameter, matrix.begin, matrix.end),
               packs.layers[i].*matrix.pack));
    }
  }
  StackAttentionPacks stack = packs.stack;  // views, of which none is changed
  for (const StackMatrix& matrix : StackMatrices(plan, &stack)) {
    CONTINUO_RETURN_IF_ERROR(
        Pack(stream,
             ParameterRows(flat, *matrix.parameter, matrix.begin, matrix.end),
             *matrix.packed));
  }
  return Pack(stream, ParameterView(flat, *plan.logits.kernel), packs.logits);
}

AttentionWeights MakeAttentionWeights(const LayerPlan& layer,
                                      const LayerPacks& packs, float* flat) {
  return {.attention_to_x = packs.attention_to_x.forward,
          .x_to_gates = packs.x_to_gates.forward,
          .gates_bias = ParameterView(flat, *layer.lstm.bias),
          .recurrent = packs.recurrent.forward,
          .c_to_query = packs.c_to_query.forward,
          .h_to_query = packs.h_to_query.forward,
          .query_bias = ParameterView(flat, *layer.query.bias),
          .project = packs.attn_w.forward,
          .score = ParameterView(flat, *layer.attn_v),
          .h_to_out = packs.h_to_out.forward,
          .attention_to_out = packs.attention_to_out.forward,
          .out_bias = ParameterView(flat, *layer.out.bias)};
}

AttentionTransposes MakeAttentionTransposes(const LayerPacks& packs) {
  return {.attention_to_x = packs.attention_to_x.transposed,
          .x_to_gates = packs.x_to_gates.transposed,
          .recurrent = packs.recurrent.transposed,
          .c_to_query = packs.c_to_query.transposed,
          .h_to_query = packs.h_to_query.transposed,
          .project = packs.attn_w.transposed,
          .h_to_out = packs.h_to_out.transposed,
          .attention_to_out = packs.attention_to_out.transposed};
}

}  // namespace continuo
