// SPDX-License-Identifier: Apache-2.0

#include "models/metagraph/metagraph.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/proto/metagraph.pb.h"
#include "data/proto/serialize.h"
#include "models/metagraph/graph_builder.h"
#include "models/metagraph/metagraph_cells.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

// Graphs of TensorFlow 1.13: the operations below have kept their meaning.
constexpr int kProducer = 27;
constexpr char kTensorFlowVersion[] = "1.13.1";
constexpr char kFrame[] = "rnn/while/while_context";
constexpr int32_t kMaxSavedCheckpoints = 5;  // Saver's defaults
constexpr float kKeepCheckpointHours = 10000;

GraphShape ShapeOf(const Parameter& parameter) {
  GraphShape shape;
  for (int i = 0; i < parameter.shape.rank(); ++i) {
    shape.push_back(parameter.shape[i]);
  }
  return shape;
}

std::string Output(const GraphValue& value) {
  return value.find(':') == std::string::npos ? absl::StrCat(value, ":0")
                                              : value;
}

class MetaGraphBuilder {
 public:
  MetaGraphBuilder(const NetworkSpec& spec, const MetaGraphOptions& options)
      : spec_(spec),
        options_(options),
        parameters_(NetworkParameters(spec)),
        graph_(meta_.mutable_graph_def()) {
    meta_.mutable_meta_info_def()->set_tensorflow_version(kTensorFlowVersion);
    meta_.mutable_graph_def()->mutable_versions()->set_producer(kProducer);
  }

  std::string Build() {
    AddVariables();
    const GraphValue outputs = AddLoop(AddInputs());
    AddSoftmax(outputs);
    AddSaver();
    return SerializeSorted(meta_);
  }

 private:
  void Collect(const std::string& name, const GraphValue& value) {
    (*meta_.mutable_collection_def())[name].mutable_node_list()->add_value(
        Output(value));
  }

  static std::string Read(const std::string& variable) {
    return absl::StrCat(variable, "/read");
  }

  void AddVariables() {
    for (const Parameter& parameter : parameters_) {
      const std::string& name = parameter.name;
      const GraphShape shape = ShapeOf(parameter);
      const GraphValue zeros =
          graph_.Zeros(absl::StrCat(name, "/Initializer/zeros"), shape);
      tensorflow::NodeDef* variable = graph_.Node("VariableV2", name, {});
      SetType(variable, "dtype", kGraphFloat);
      SetShape(variable, "shape", shape);
      graph_.Typed("Assign", absl::StrCat(name, "/Assign"), {name, zeros});
      graph_.Typed("Identity", Read(name), {name});
      tensorflow::VariableDef definition;
      definition.set_variable_name(Output(name));
      definition.set_initializer_name(absl::StrCat(name, "/Assign"));
      definition.set_snapshot_name(Output(Read(name)));
      definition.set_initial_value_name(Output(zeros));
      definition.set_trainable(true);
      for (const char* collection : {"variables", "trainable_variables"}) {
        AddDefinition(collection, definition);
      }
      if (name.rfind("fully_connected/", 0) == 0) {
        AddDefinition("model_variables", definition);
      }
    }
  }

  void AddDefinition(const std::string& collection,
                     const tensorflow::VariableDef& definition) {
    (*meta_.mutable_collection_def())[collection]
        .mutable_bytes_list()
        ->add_value(definition.SerializeAsString());
  }

  // The rows of each step, [steps, batch, input].
  GraphValue AddInputs() {
    const GraphValue placeholder = graph_.Placeholder(
        "inputs", {options_.batch_size, -1,
                   options_.index_inputs ? 1 : spec_.input_size});
    Collect("inputs", placeholder);
    GraphValue rows = placeholder;
    if (options_.index_inputs) {
      tensorflow::NodeDef* squeeze =
          graph_.Node("Squeeze", "one_hot/Squeeze", {placeholder});
      SetType(squeeze, "T", kGraphFloat);
      (*squeeze->mutable_attr())["squeeze_dims"].mutable_list()->add_i(2);
      tensorflow::NodeDef* cast =
          graph_.Node("Cast", "one_hot/Cast", {"one_hot/Squeeze"});
      SetType(cast, "SrcT", kGraphFloat);
      SetType(cast, "DstT", kGraphInt64);
      rows = "one_hot";
      tensorflow::NodeDef* one_hot = graph_.Node(
          "OneHot", rows,
          {"one_hot/Cast", graph_.Int("one_hot/depth", spec_.input_size),
           graph_.Float("one_hot/on", 1), graph_.Float("one_hot/off", 0)});
      SetType(one_hot, "T", kGraphFloat);
      SetType(one_hot, "TI", kGraphInt64);
      SetInt(one_hot, "axis", -1);
    }
    return graph_.Transpose("rnn/transpose", rows, {1, 0, 2});
  }

  // The number of steps, of which there may be none.
  GraphValue AddNumSteps(const GraphValue& inputs) {
    tensorflow::NodeDef* shape = graph_.Node("Shape", "rnn/Shape", {inputs});
    SetType(shape, "T", kGraphFloat);
    SetType(shape, "out_type", kGraphInt32);
    tensorflow::NodeDef* steps =
        graph_.Node("StridedSlice", "rnn/steps",
                    {"rnn/Shape", graph_.Ints("rnn/steps/begin", {0}),
                     graph_.Ints("rnn/steps/end", {1}),
                     graph_.Ints("rnn/steps/stride", {1})});
    SetType(steps, "T", kGraphInt32);
    SetType(steps, "Index", kGraphInt32);
    SetInt(steps, "shrink_axis_mask", 1);
    return "rnn/steps";
  }

  // A variable of the loop, from its entry to its value in a round.
  struct LoopVariable {
    std::string suffix;
    GraphDType type;
    GraphValue value;  // in the body
  };

  void EnterLoop(const GraphValue& start, GraphDType type,
                 std::vector<LoopVariable>* variables) {
    const std::string suffix = absl::StrCat("_", variables->size());
    const GraphValue entered = graph_.Enter(
        absl::StrCat("rnn/while/Enter", suffix), start, kFrame, false, type);
    tensorflow::NodeDef* merge =
        graph_.Node("Merge", absl::StrCat("rnn/while/Merge", suffix),
                    {entered, absl::StrCat("rnn/while/NextIteration", suffix)});
    SetType(merge, "T", type);
    SetInt(merge, "N", 2);
    variables->push_back({.suffix = suffix, .type = type, .value = ""});
  }

  // What follows the condition: into the body and out of the loop.
  void SwitchLoop(std::vector<LoopVariable>* variables) {
    for (LoopVariable& variable : *variables) {
      const std::string suffix = variable.suffix;
      const GraphValue choice = graph_.Typed(
          "Switch", absl::StrCat("rnn/while/Switch", suffix),
          {absl::StrCat("rnn/while/Merge", suffix), "rnn/while/LoopCond"},
          variable.type);
      variable.value =
          graph_.Typed("Identity", absl::StrCat("rnn/while/Identity", suffix),
                       {absl::StrCat(choice, ":1")}, variable.type);
      graph_.Typed("Exit", absl::StrCat("rnn/while/Exit", suffix), {choice},
                   variable.type);
    }
  }

  void Next(const LoopVariable& variable, const GraphValue& value) {
    graph_.Typed("NextIteration",
                 absl::StrCat("rnn/while/NextIteration", variable.suffix),
                 {value}, variable.type);
  }

  GraphValue Constant(const GraphValue& value, GraphDType type = kGraphFloat) {
    return graph_.Enter(absl::StrCat("rnn/while/constant/", value), value,
                        kFrame, /*constant=*/true, type);
  }

  // The network over all steps; its outputs as [batch * steps, n], sequence by
  // sequence.
  GraphValue AddLoop(const GraphValue& inputs) {
    const int n = spec_.layer_sizes.back();
    const GraphValue steps = AddNumSteps(inputs);
    tensorflow::NodeDef* array =
        graph_.Node("TensorArrayV3", "rnn/outputs", {steps});
    SetType(array, "dtype", kGraphFloat);
    SetShape(array, "element_shape", {options_.batch_size, n});
    SetBool(array, "dynamic_size", false);
    SetBool(array, "clear_after_read", true);

    std::vector<LoopVariable> variables;
    EnterLoop(graph_.Int("rnn/time", 0), kGraphInt32, &variables);
    EnterLoop("rnn/outputs:1", kGraphFloat, &variables);
    for (int width : StateWidths(spec_)) {
      const GraphValue zeros =
          graph_.Zeros(absl::StrCat("initial_state_", variables.size() - 2),
                       {options_.batch_size, width});
      Collect("initial_state", zeros);
      EnterLoop(zeros, kGraphFloat, &variables);
    }
    graph_.Typed("Less", "rnn/while/Less",
                 {"rnn/while/Merge_0", Constant(steps, kGraphInt32)},
                 kGraphInt32);
    graph_.Node("LoopCond", "rnn/while/LoopCond", {"rnn/while/Less"});
    SwitchLoop(&variables);

    const GraphValue time = variables[0].value;
    graph_.SetControl(time);
    const GraphValue handle = Constant("rnn/outputs", kGraphResource);
    const GraphValue row =
        graph_.Gather("rnn/while/input", Constant(inputs), time);
    GraphValues states;
    for (size_t i = 2; i < variables.size(); ++i) {
      states.push_back(variables[i].value);
    }
    const GraphStep step = AddNetworkStep(
        spec_, options_.batch_size, "rnn/while/", row, states,
        [this](const std::string& variable) {
          return Constant(Read(variable));
        },
        &graph_);
    Next(variables[0],
         graph_.Typed("Add", "rnn/while/time",
                      {time, graph_.Int("rnn/while/one", 1)}, kGraphInt32));
    Next(variables[1],
         graph_.Typed("TensorArrayWriteV3", "rnn/while/write",
                      {handle, time, step.output, variables[1].value}));
    for (size_t i = 2; i < variables.size(); ++i) {
      Next(variables[i], step.states[i - 2]);
      Collect("final_state",
              absl::StrCat("rnn/while/Exit", variables[i].suffix));
    }
    graph_.SetControl("");

    tensorflow::NodeDef* range =
        graph_.Node("Range", "rnn/range",
                    {graph_.Int("rnn/range/start", 0), steps,
                     graph_.Int("rnn/range/delta", 1)});
    SetType(range, "Tidx", kGraphInt32);
    tensorflow::NodeDef* stack =
        graph_.Node("TensorArrayGatherV3", "rnn/stack",
                    {"rnn/outputs", "rnn/range", "rnn/while/Exit_1"});
    SetType(stack, "dtype", kGraphFloat);
    SetShape(stack, "element_shape", {options_.batch_size, n});
    return graph_.Reshape(
        "rnn/flat", graph_.Transpose("rnn/transpose_1", "rnn/stack", {1, 0, 2}),
        {-1, n});
  }

  void AddSoftmax(const GraphValue& outputs) {
    const GraphValue logits = graph_.Dense("fully_connected/", outputs,
                                           Read("fully_connected/weights"),
                                           Read("fully_connected/biases"));
    const GraphValue temperature = graph_.Placeholder("temperature", {});
    Collect("temperature", temperature);
    int begin = 0;
    for (size_t head = 0; head < spec_.head_sizes.size(); ++head) {
      const int classes = spec_.head_sizes[head];
      const std::string scope = absl::StrCat("softmax_", head);
      GraphValue part = logits;
      if (spec_.head_sizes.size() > 1) {
        part = graph_.Columns(absl::StrCat(scope, "/logits"), logits, begin,
                              classes);
      }
      begin += classes;
      const GraphValue divided = graph_.Typed(
          "RealDiv", absl::StrCat(scope, "/div"), {part, temperature});
      Collect("softmax",
              graph_.Reshape(
                  scope,
                  graph_.Typed("Softmax", absl::StrCat(scope, "/Softmax"),
                               {divided}),
                  {options_.batch_size, -1, classes}));
    }
  }

  // Nodes as TensorFlow's Saver names them.
  void AddSaver() {
    std::map<std::string, const Parameter*> sorted;
    for (const Parameter& parameter : parameters_) {
      sorted[parameter.name] = &parameter;
    }
    std::vector<std::string> names;
    for (const auto& [name, parameter] : sorted) names.push_back(name);
    const std::vector<std::string> whole(names.size());

    const GraphValue file = graph_.String("save/Const", "model");
    GraphValues data = {file, graph_.Strings("save/save/tensor_names", names),
                        graph_.Strings("save/save/shapes_and_slices", whole)};
    data.insert(data.end(), names.begin(), names.end());
    tensorflow::NodeDef* save = graph_.Node("SaveSlices", "save/save", data);
    graph_.Typed("Identity", "save/control_dependency", {file, "^save/save"},
                 kGraphString);
    tensorflow::NodeDef* restore =
        graph_.Node("RestoreV2", "save/RestoreV2",
                    {file, graph_.Strings("save/RestoreV2/tensor_names", names),
                     graph_.Strings("save/RestoreV2/shape_and_slices", whole)});
    for (size_t i = 0; i < names.size(); ++i) {
      (*save->mutable_attr())["T"].mutable_list()->add_type(kGraphFloat);
      (*restore->mutable_attr())["dtypes"].mutable_list()->add_type(
          kGraphFloat);
    }
    GraphValues done;
    for (size_t i = 0; i < names.size(); ++i) {
      const GraphValue assign =
          graph_.Typed("Assign", absl::StrCat("save/Assign_", i),
                       {names[i], absl::StrCat("save/RestoreV2:", i)});
      done.push_back(absl::StrCat("^", assign));
    }
    graph_.Node("NoOp", "save/restore_all", done);

    tensorflow::SaverDef* saver = meta_.mutable_saver_def();
    saver->set_filename_tensor_name(Output(file));
    saver->set_save_tensor_name("save/control_dependency:0");
    saver->set_restore_op_name("save/restore_all");
    saver->set_max_to_keep(kMaxSavedCheckpoints);
    saver->set_keep_checkpoint_every_n_hours(kKeepCheckpointHours);
    saver->set_version(tensorflow::SaverDef::V1);
  }

  const NetworkSpec& spec_;
  const MetaGraphOptions options_;
  const std::vector<Parameter> parameters_;
  tensorflow::MetaGraphDef meta_;
  GraphBuilder graph_;
};

}  // namespace

bool HasMetaGraph(const NetworkSpec& spec) { return spec.cell == Cell::kLstm; }

std::string BuildMetaGraph(const NetworkSpec& spec,
                           const MetaGraphOptions& options) {
  CONTINUO_CHECK(options.batch_size > 0 && !spec.layer_sizes.empty());
  CONTINUO_CHECK(HasMetaGraph(spec));
  return MetaGraphBuilder(spec, options).Build();
}

}  // namespace continuo
