// SPDX-License-Identifier: Apache-2.0

// Writes TensorFlow graphs: one function per operation that the networks use.
//
// A value is the name of the node that computes it, "name:1" its second output.
// Names must be new to the graph; scopes end with "/".

#ifndef CONTINUO_MODELS_METAGRAPH_GRAPH_BUILDER_H_
#define CONTINUO_MODELS_METAGRAPH_GRAPH_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/proto/metagraph.pb.h"

namespace continuo {

// tensorflow.DataType.
enum GraphDType {
  kGraphFloat = 1,
  kGraphInt32 = 3,
  kGraphString = 7,
  kGraphInt64 = 9,
  kGraphResource = 20,
};

using GraphValue = std::string;
using GraphValues = std::vector<GraphValue>;
using GraphShape = std::vector<int64_t>;  // -1: unknown

tensorflow::TensorShapeProto GraphShapeProto(const GraphShape& shape);

class GraphBuilder {
 public:
  explicit GraphBuilder(tensorflow::GraphDef* graph) : graph_(graph) {}

  // From now on constants run with this node, which puts them into its loop;
  // "" = anywhere.
  void SetControl(const std::string& node) { control_ = node; }

  // A node of any kind; the caller adds its attributes.
  tensorflow::NodeDef* Node(absl::string_view op, const std::string& name,
                            const GraphValues& inputs);
  // A node with the one attribute `T`.
  GraphValue Typed(absl::string_view op, const std::string& name,
                   const GraphValues& inputs, GraphDType type = kGraphFloat);

  GraphValue Ints(const std::string& name, const std::vector<int32_t>& values);
  GraphValue Int(const std::string& name, int32_t value);
  GraphValue Float(const std::string& name, float value);
  GraphValue String(const std::string& name, absl::string_view value);
  GraphValue Strings(const std::string& name,
                     const std::vector<std::string>& values);
  // A constant of zeros whose shape stands in `_output_shapes` too, where
  // readers of bundles look for the sizes of states.
  GraphValue Zeros(const std::string& name, const GraphShape& shape);
  GraphValue Placeholder(const std::string& name, const GraphShape& shape);

  GraphValue Concat(const std::string& name, const GraphValues& inputs);
  // x kernel + bias.
  GraphValue Dense(const std::string& scope, const GraphValue& x,
                   const GraphValue& kernel, const GraphValue& bias);
  GraphValue Reshape(const std::string& name, const GraphValue& x,
                     const std::vector<int32_t>& shape);
  // Columns [begin, begin + size) of a matrix.
  GraphValue Columns(const std::string& name, const GraphValue& x,
                     int32_t begin, int32_t size);
  GraphValue Sum(const std::string& name, const GraphValue& x, int32_t axis);
  GraphValue Transpose(const std::string& name, const GraphValue& x,
                       const std::vector<int32_t>& order);
  // x[index] along the first axis.
  GraphValue Gather(const std::string& name, const GraphValue& x,
                    const GraphValue& index);
  // Brings a value into the loop `frame`; `constant`: the same in every round.
  GraphValue Enter(const std::string& name, const GraphValue& x,
                   absl::string_view frame, bool constant,
                   GraphDType type = kGraphFloat);

 private:
  tensorflow::TensorProto* Const(const std::string& name, GraphDType type,
                                 const GraphShape& shape);

  tensorflow::GraphDef* graph_;
  std::string control_;
};

void SetType(tensorflow::NodeDef* node, const std::string& name,
             GraphDType type);
void SetInt(tensorflow::NodeDef* node, const std::string& name, int64_t value);
void SetBool(tensorflow::NodeDef* node, const std::string& name, bool value);
void SetShape(tensorflow::NodeDef* node, const std::string& name,
              const GraphShape& shape);

}  // namespace continuo

#endif  // CONTINUO_MODELS_METAGRAPH_GRAPH_BUILDER_H_
