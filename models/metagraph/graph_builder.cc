// SPDX-License-Identifier: Apache-2.0

#include "models/metagraph/graph_builder.h"

#include "absl/strings/str_cat.h"

namespace continuo {

tensorflow::TensorShapeProto GraphShapeProto(const GraphShape& shape) {
  tensorflow::TensorShapeProto proto;
  for (int64_t size : shape) proto.add_dim()->set_size(size);
  return proto;
}

void SetType(tensorflow::NodeDef* node, const std::string& name,
             GraphDType type) {
  (*node->mutable_attr())[name].set_type(type);
}
void SetInt(tensorflow::NodeDef* node, const std::string& name, int64_t value) {
  (*node->mutable_attr())[name].set_i(value);
}
void SetBool(tensorflow::NodeDef* node, const std::string& name, bool value) {
  (*node->mutable_attr())[name].set_b(value);
}
void SetShape(tensorflow::NodeDef* node, const std::string& name,
              const GraphShape& shape) {
  *(*node->mutable_attr())[name].mutable_shape() = GraphShapeProto(shape);
}

namespace {

void SetOutputShape(tensorflow::NodeDef* node, const GraphShape& shape) {
  *(*node->mutable_attr())["_output_shapes"].mutable_list()->add_shape() =
      GraphShapeProto(shape);
}

}  // namespace

tensorflow::NodeDef* GraphBuilder::Node(absl::string_view op,
                                        const std::string& name,
                                        const GraphValues& inputs) {
  tensorflow::NodeDef* node = graph_->add_node();
  node->set_name(name);
  node->set_op(std::string(op));
  for (const GraphValue& input : inputs) node->add_input(input);
  return node;
}

GraphValue GraphBuilder::Typed(absl::string_view op, const std::string& name,
                               const GraphValues& inputs, GraphDType type) {
  SetType(Node(op, name, inputs), "T", type);
  return name;
}

tensorflow::TensorProto* GraphBuilder::Const(const std::string& name,
                                             GraphDType type,
                                             const GraphShape& shape) {
  tensorflow::NodeDef* node = Node("Const", name, {});
  if (!control_.empty()) node->add_input(absl::StrCat("^", control_));
  SetType(node, "dtype", type);
  tensorflow::TensorProto* value =
      (*node->mutable_attr())["value"].mutable_tensor();
  value->set_dtype(type);
  *value->mutable_tensor_shape() = GraphShapeProto(shape);
  return value;
}

GraphValue GraphBuilder::Ints(const std::string& name,
                              const std::vector<int32_t>& values) {
  tensorflow::TensorProto* tensor =
      Const(name, kGraphInt32, {static_cast<int64_t>(values.size())});
  for (int32_t value : values) tensor->add_int_val(value);
  return name;
}

GraphValue GraphBuilder::Int(const std::string& name, int32_t value) {
  Const(name, kGraphInt32, {})->add_int_val(value);
  return name;
}

GraphValue GraphBuilder::Float(const std::string& name, float value) {
  Const(name, kGraphFloat, {})->add_float_val(value);
  return name;
}

GraphValue GraphBuilder::String(const std::string& name,
                                absl::string_view value) {
  Const(name, kGraphString, {})->add_string_val(std::string(value));
  return name;
}

GraphValue GraphBuilder::Strings(const std::string& name,
                                 const std::vector<std::string>& values) {
  tensorflow::TensorProto* tensor =
      Const(name, kGraphString, {static_cast<int64_t>(values.size())});
  for (const std::string& value : values) tensor->add_string_val(value);
  return name;
}

GraphValue GraphBuilder::Zeros(const std::string& name,
                               const GraphShape& shape) {
  // One value stands for all.
  Const(name, kGraphFloat, shape)->add_float_val(0);
  SetOutputShape(graph_->mutable_node(graph_->node_size() - 1), shape);
  return name;
}

GraphValue GraphBuilder::Placeholder(const std::string& name,
                                     const GraphShape& shape) {
  tensorflow::NodeDef* node = Node("Placeholder", name, {});
  SetType(node, "dtype", kGraphFloat);
  SetShape(node, "shape", shape);
  SetOutputShape(node, shape);
  return name;
}

GraphValue GraphBuilder::Concat(const std::string& name,
                                const GraphValues& inputs) {
  GraphValues with_axis = inputs;
  with_axis.push_back(Int(absl::StrCat(name, "/axis"), 1));
  tensorflow::NodeDef* node = Node("ConcatV2", name, with_axis);
  SetInt(node, "N", static_cast<int64_t>(inputs.size()));
  SetType(node, "T", kGraphFloat);
  SetType(node, "Tidx", kGraphInt32);
  return name;
}

GraphValue GraphBuilder::Dense(const std::string& scope, const GraphValue& x,
                               const GraphValue& kernel,
                               const GraphValue& bias) {
  return Typed(
      "BiasAdd", absl::StrCat(scope, "BiasAdd"),
      {Typed("MatMul", absl::StrCat(scope, "MatMul"), {x, kernel}), bias});
}

GraphValue GraphBuilder::Reshape(const std::string& name, const GraphValue& x,
                                 const std::vector<int32_t>& shape) {
  tensorflow::NodeDef* node =
      Node("Reshape", name, {x, Ints(absl::StrCat(name, "/shape"), shape)});
  SetType(node, "T", kGraphFloat);
  SetType(node, "Tshape", kGraphInt32);
  return name;
}

GraphValue GraphBuilder::Columns(const std::string& name, const GraphValue& x,
                                 int32_t begin, int32_t size) {
  const GraphValue first = Ints(absl::StrCat(name, "/begin"), {0, begin});
  const GraphValue sizes = Ints(absl::StrCat(name, "/size"), {-1, size});
  tensorflow::NodeDef* node = Node("Slice", name, {x, first, sizes});
  SetType(node, "T", kGraphFloat);
  SetType(node, "Index", kGraphInt32);
  return name;
}

GraphValue GraphBuilder::Sum(const std::string& name, const GraphValue& x,
                             int32_t axis) {
  tensorflow::NodeDef* node =
      Node("Sum", name, {x, Int(absl::StrCat(name, "/axis"), axis)});
  SetType(node, "T", kGraphFloat);
  SetType(node, "Tidx", kGraphInt32);
  SetBool(node, "keep_dims", false);
  return name;
}

GraphValue GraphBuilder::Transpose(const std::string& name, const GraphValue& x,
                                   const std::vector<int32_t>& order) {
  tensorflow::NodeDef* node =
      Node("Transpose", name, {x, Ints(absl::StrCat(name, "/order"), order)});
  SetType(node, "T", kGraphFloat);
  SetType(node, "Tperm", kGraphInt32);
  return name;
}

GraphValue GraphBuilder::Gather(const std::string& name, const GraphValue& x,
                                const GraphValue& index) {
  tensorflow::NodeDef* node = Node("Gather", name, {x, index});
  SetType(node, "Tparams", kGraphFloat);
  SetType(node, "Tindices", kGraphInt32);
  return name;
}

GraphValue GraphBuilder::Enter(const std::string& name, const GraphValue& x,
                               absl::string_view frame, bool constant,
                               GraphDType type) {
  tensorflow::NodeDef* node = Node("Enter", name, {x});
  SetType(node, "T", type);
  (*node->mutable_attr())["frame_name"].set_s(std::string(frame));
  SetBool(node, "is_constant", constant);
  SetInt(node, "parallel_iterations", 32);
  return name;
}

}  // namespace continuo
