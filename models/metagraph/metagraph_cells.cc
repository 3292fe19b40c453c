// SPDX-License-Identifier: Apache-2.0

#include "models/metagraph/metagraph_cells.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

// Builds the step with the names of the variables as scopes of the operations.
struct StepBuilder {
  const NetworkSpec& spec;
  const int batch_size;
  const std::string& scope;
  const std::function<GraphValue(const std::string&)>& weight;
  GraphBuilder* graph;
  const GraphValues& states;
  size_t next_state = 0;

  GraphValue TakeState() {
    CONTINUO_CHECK(next_state < states.size());
    return states[next_state++];
  }

  std::string Name(const std::string& name) const {
    return absl::StrCat(scope, name);
  }

  GraphValue Dense(const std::string& cell, const GraphValue& x) {
    return graph->Dense(Name(cell), x, weight(absl::StrCat(cell, "kernel")),
                        weight(absl::StrCat(cell, "bias")));
  }

  struct LstmOutput {
    GraphValue c;
    GraphValue h;
  };

  // Gates in the order i, j, f, o; 1 is added to f.
  LstmOutput Lstm(const std::string& cell, const GraphValue& x,
                  const GraphValue& c, const GraphValue& h) {
    const std::string at = Name(cell);
    const GraphValue z = Dense(cell, graph->Concat(at + "concat", {x, h}));
    const GraphValue gates = at + "split";
    tensorflow::NodeDef* split =
        graph->Node("Split", gates, {graph->Int(gates + "/axis", 1), z});
    SetType(split, "T", kGraphFloat);
    SetInt(split, "num_split", 4);
    const GraphValue forget = graph->Typed(
        "Sigmoid", at + "Sigmoid",
        {graph->Typed("Add", at + "Add",
                      {gates + ":2", graph->Float(at + "forget_bias", 1)})});
    const GraphValue kept = graph->Typed("Mul", at + "Mul", {c, forget});
    const GraphValue added =
        graph->Typed("Mul", at + "Mul_1",
                     {graph->Typed("Sigmoid", at + "Sigmoid_1", {gates}),
                      graph->Typed("Tanh", at + "Tanh", {gates + ":1"})});
    LstmOutput out;
    out.c = graph->Typed("Add", at + "Add_1", {kept, added});
    out.h = graph->Typed(
        "Mul", at + "Mul_2",
        {graph->Typed("Tanh", at + "Tanh_1", {out.c}),
         graph->Typed("Sigmoid", at + "Sigmoid_2", {gates + ":3"})});
    return out;
  }

  struct AttentionOutput {
    GraphValue output;
    GraphValue attention;
    GraphValue window;
  };

  // From the output of the wrapped cells [batch, n] and their new states
  // `query` [batch, q] on; the window is [batch, A n].
  AttentionOutput Attend(const std::string& cell, int n, const GraphValue& y,
                         const GraphValue& query, const GraphValue& window) {
    const int size = spec.attn_length;
    const std::string scope_name = absl::StrCat(cell, "attention/");
    const std::string at = Name(scope_name);
    const GraphValue memory =
        graph->Reshape(at + "memory", window, {batch_size, size, n});
    const GraphValue projected = graph->Reshape(
        at + "projected",
        graph->Typed(
            "MatMul", at + "project",
            {graph->Reshape(at + "memory_rows", window, {batch_size * size, n}),
             graph->Reshape(at + "attn_w",
                            weight(absl::StrCat(scope_name, "attn_w")),
                            {n, n})}),
        {batch_size, size, n});
    const GraphValue q = graph->Reshape(at + "query", Dense(scope_name, query),
                                        {batch_size, 1, n});
    const GraphValue hidden = graph->Typed(
        "Tanh", at + "Tanh", {graph->Typed("Add", at + "add", {projected, q})});
    const GraphValue scores = graph->Sum(
        at + "Sum",
        graph->Typed("Mul", at + "mul",
                     {hidden, weight(absl::StrCat(scope_name, "attn_v"))}),
        2);
    const GraphValue probabilities = graph->Reshape(
        at + "probabilities", graph->Typed("Softmax", at + "Softmax", {scores}),
        {batch_size, size, 1});
    AttentionOutput out;
    out.attention = graph->Sum(
        at + "Sum_1",
        graph->Typed("Mul", at + "mul_1", {probabilities, memory}), 1);
    const std::string output_scope =
        absl::StrCat(cell, "attn_output_projection/");
    out.output =
        Dense(output_scope,
              graph->Concat(Name(output_scope) + "concat", {y, out.attention}));
    out.window = graph->Concat(
        at + "concat",
        {graph->Columns(at + "Slice", window, n, (size - 1) * n), out.output});
    return out;
  }

  // x' of the attention wrapper: the width of x is kept.
  GraphValue MixIn(const std::string& cell, const GraphValue& x,
                   const GraphValue& attention) {
    return Dense(cell, graph->Concat(Name(cell) + "concat", {x, attention}));
  }

  // All layers with the attention around them.
  GraphStep Stack(const GraphValue& input) {
    const std::string cell = "rnn/attention_cell_wrapper/";
    const GraphValue attention = states[states.size() - 2];
    const GraphValue window = states[states.size() - 1];
    GraphStep step;
    step.output = MixIn(cell, input, attention);
    for (size_t i = 0; i < spec.layer_sizes.size(); ++i) {
      const GraphValue c = TakeState();
      const GraphValue h = TakeState();
      const LstmOutput lstm = Lstm(
          absl::StrCat(cell, "multi_rnn_cell/cell_", i, "/basic_lstm_cell/"),
          step.output, c, h);
      step.states.insert(step.states.end(), {lstm.c, lstm.h});
      step.output = lstm.h;
    }
    const AttentionOutput attend =
        Attend(cell, spec.layer_sizes.back(), step.output,
               graph->Concat(Name(cell) + "state", step.states), window);
    step.states.insert(step.states.end(), {attend.attention, attend.window});
    step.output = attend.output;
    return step;
  }

  // Layer `i`: adds its new states and returns its output.
  GraphValue Layer(size_t i, int in, GraphValue x, GraphValues* new_states) {
    const int n = spec.layer_sizes[i];
    std::string cell = absl::StrCat("rnn/multi_rnn_cell/cell_", i, "/");
    if (spec.residual_connections && (i == 0 || in != n)) {
      absl::StrAppend(&cell, "input_projection_wrapper/");
      x = Dense(cell, x);
    }
    const GraphValue skip = x;
    const GraphValue c = TakeState();
    const GraphValue h = TakeState();
    GraphValue output;
    if (spec.attn_length > 0 && i == 0) {
      absl::StrAppend(&cell, "attention_cell_wrapper/");
      const GraphValue attention = TakeState();
      const GraphValue window = TakeState();
      const LstmOutput lstm = Lstm(absl::StrCat(cell, "basic_lstm_cell/"),
                                   MixIn(cell, x, attention), c, h);
      const GraphValue query =
          graph->Concat(Name(cell) + "state", {lstm.c, lstm.h});
      const AttentionOutput attend = Attend(cell, n, lstm.h, query, window);
      new_states->insert(new_states->end(),
                         {lstm.c, lstm.h, attend.attention, attend.window});
      output = attend.output;
    } else {
      const LstmOutput lstm =
          Lstm(absl::StrCat(cell, "basic_lstm_cell/"), x, c, h);
      new_states->insert(new_states->end(), {lstm.c, lstm.h});
      output = lstm.h;
    }
    if (!spec.residual_connections) return output;
    return graph->Typed("Add", Name(cell) + "residual", {skip, output});
  }
};

}  // namespace

std::vector<int> StateWidths(const NetworkSpec& spec) {
  std::vector<int> widths;
  for (size_t i = 0; i < spec.layer_sizes.size(); ++i) {
    const int n = spec.layer_sizes[i];
    widths.insert(widths.end(), {n, n});
    const size_t after =
        spec.attention_around_stack ? spec.layer_sizes.size() - 1 : 0;
    if (i == after && spec.attn_length > 0) {
      widths.insert(widths.end(), {n, spec.attn_length * n});
    }
  }
  return widths;
}

GraphStep AddNetworkStep(
    const NetworkSpec& spec, int batch_size, const std::string& scope,
    const GraphValue& input, const GraphValues& states,
    const std::function<GraphValue(const std::string&)>& weight,
    GraphBuilder* graph) {
  StepBuilder builder{.spec = spec,
                      .batch_size = batch_size,
                      .scope = scope,
                      .weight = weight,
                      .graph = graph,
                      .states = states};
  if (spec.attention_around_stack) return builder.Stack(input);
  GraphStep step;
  step.output = input;
  int in = spec.input_size;
  for (size_t i = 0; i < spec.layer_sizes.size(); ++i) {
    step.output = builder.Layer(i, in, step.output, &step.states);
    in = spec.layer_sizes[i];
  }
  CONTINUO_CHECK(builder.next_state == states.size());
  return step;
}

}  // namespace continuo
