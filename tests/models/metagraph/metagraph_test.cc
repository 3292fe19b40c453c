// SPDX-License-Identifier: Apache-2.0

// The graphs of bundles hold together: names, inputs, collections, the loop.
// That TensorFlow computes the same with them is checked outside this suite.

#include "models/metagraph/metagraph.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/proto/metagraph.pb.h"
#include "gtest/gtest.h"
#include "models/metagraph/metagraph_cells.h"

namespace continuo {
namespace {

struct Case {
  std::string name;
  NetworkSpec spec;
  MetaGraphOptions options;
};

std::vector<Case> Cases() {
  const NetworkSpec plain = {.input_size = 7,
                             .head_sizes = {5},
                             .default_label = {0},
                             .layer_sizes = {4, 3}};
  NetworkSpec attention = plain;
  attention.attn_length = 6;
  NetworkSpec residual = attention;
  residual.residual_connections = true;
  residual.layer_sizes = {4, 4, 3};
  NetworkSpec stack = attention;
  stack.attention_around_stack = true;
  NetworkSpec heads = plain;
  heads.head_sizes = {5, 2, 9};
  heads.default_label = {0, 0, 0};
  return {
      {"plain", plain, {}},       {"attention", attention, {.batch_size = 4}},
      {"residual", residual, {}}, {"attention around the stack", stack, {}},
      {"heads", heads, {}},       {"index", plain, {.index_inputs = true}}};
}

std::string NodeOf(std::string value) {
  if (absl::StartsWith(value, "^")) value.erase(0, 1);
  return value.substr(0, value.find(':'));
}

TEST(MetaGraphTest, EveryReferenceIsDefinedAndNoNameTwice) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    tensorflow::MetaGraphDef graph;
    ASSERT_TRUE(graph.ParseFromString(BuildMetaGraph(c.spec, c.options)));
    std::set<std::string> names;
    for (const auto& node : graph.graph_def().node()) {
      EXPECT_TRUE(names.insert(node.name()).second) << node.name();
    }
    for (const auto& node : graph.graph_def().node()) {
      for (const std::string& input : node.input()) {
        EXPECT_EQ(names.count(NodeOf(input)), 1)
            << node.name() << " reads " << input;
      }
    }
    for (const auto& [collection, values] : graph.collection_def()) {
      for (const std::string& value : values.node_list().value()) {
        EXPECT_EQ(names.count(NodeOf(value)), 1) << collection << " " << value;
      }
      for (const std::string& bytes : values.bytes_list().value()) {
        tensorflow::VariableDef variable;
        ASSERT_TRUE(variable.ParseFromString(bytes));
        EXPECT_EQ(names.count(NodeOf(variable.variable_name())), 1);
        EXPECT_EQ(names.count(variable.initializer_name()), 1);
        EXPECT_EQ(names.count(NodeOf(variable.snapshot_name())), 1);
      }
    }
    EXPECT_EQ(names.count(NodeOf(graph.saver_def().filename_tensor_name())), 1);
    EXPECT_EQ(names.count(NodeOf(graph.saver_def().save_tensor_name())), 1);
    EXPECT_EQ(names.count(graph.saver_def().restore_op_name()), 1);
    EXPECT_EQ(graph.saver_def().version(), tensorflow::SaverDef::V1);
    for (const Parameter& parameter : NetworkParameters(c.spec)) {
      EXPECT_EQ(names.count(parameter.name), 1) << parameter.name;
    }
  }
}

TEST(MetaGraphTest, CollectionsHaveTheTensorsOfTheNetwork) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    tensorflow::MetaGraphDef graph;
    ASSERT_TRUE(graph.ParseFromString(BuildMetaGraph(c.spec, c.options)));
    const auto size = [&graph](const std::string& name) {
      const auto& collection = graph.collection_def().at(name);
      return collection.node_list().value_size() +
             collection.bytes_list().value_size();
    };
    const std::vector<int> widths = StateWidths(c.spec);
    EXPECT_EQ(size("inputs"), 1);
    EXPECT_EQ(size("temperature"), 1);
    EXPECT_EQ(size("softmax"), c.spec.head_sizes.size());
    EXPECT_EQ(size("initial_state"), widths.size());
    EXPECT_EQ(size("final_state"), widths.size());
    EXPECT_EQ(size("variables"), NetworkParameters(c.spec).size());
    EXPECT_EQ(size("model_variables"), 2);
    for (const auto& node : graph.graph_def().node()) {
      if (node.op() == "Placeholder" && node.name() == "inputs") {
        const auto& shape = node.attr().at("shape").shape();
        ASSERT_EQ(shape.dim_size(), 3);
        EXPECT_EQ(shape.dim(0).size(), c.options.batch_size);
        EXPECT_EQ(shape.dim(1).size(), -1);
        EXPECT_EQ(shape.dim(2).size(),
                  c.options.index_inputs ? 1 : c.spec.input_size);
      }
    }
  }
}

}  // namespace
}  // namespace continuo
