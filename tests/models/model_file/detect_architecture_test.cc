// SPDX-License-Identifier: Apache-2.0

#include "models/model_file/detect_architecture.h"

#include <string>

#include "gtest/gtest.h"
#include "models/metagraph/metagraph.h"

namespace continuo {
namespace {

HostTensor Tensor(std::vector<int64_t> shape) {
  int64_t size = 1;
  for (int64_t dim : shape) size *= dim;
  return {.dtype = DType::kFloat32,
          .shape = std::move(shape),
          .floats = std::vector<float>(size, 0.5f),
          .ints = {}};
}

TEST(DetectArchitectureTest, ReadsLayersAttentionAndResiduals) {
  const std::string cell = "rnn/multi_rnn_cell/cell_";
  TensorMap tensors;
  tensors[cell +
          "0/input_projection_wrapper/attention_cell_wrapper/"
          "basic_lstm_cell/bias"] = Tensor({64});
  tensors[cell +
          "0/input_projection_wrapper/attention_cell_wrapper/attention/"
          "attn_v"] = Tensor({16});
  tensors[cell + "1/basic_lstm_cell/bias"] = Tensor({48});
  // Ten and more layers must not be taken for layer 1.
  tensors[cell + "10/basic_lstm_cell/bias"] = Tensor({4});
  const auto shape = DetectArchitecture(tensors, "model");
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ(shape->layer_sizes, (std::vector<int>{16, 12}));
  EXPECT_TRUE(shape->attention);
  EXPECT_TRUE(shape->residual_connections);
}

TEST(DetectArchitectureTest, RefusesOtherTensors) {
  TensorMap tensors;
  EXPECT_FALSE(DetectArchitecture(tensors, "model").ok());
  tensors["rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias"] = Tensor({10});
  const auto odd = DetectArchitecture(tensors, "model");
  EXPECT_NE(odd.status().message().find("[10]"), std::string::npos);
}

TEST(DetectArchitectureTest, AttentionLengthNeedsTheMetaGraph) {
  const NetworkShape shape = {.layer_sizes = {16}, .attention = true};
  EXPECT_FALSE(DetectAttentionLength("", shape, "model").ok());
  EXPECT_FALSE(DetectAttentionLength("not a message", shape, "model").ok());
}

TEST(DetectArchitectureTest, ReadsTheWindowOfItsOwnMetaGraphs) {
  NetworkSpec spec = {.input_size = 9,
                      .head_sizes = {5},
                      .default_label = {0},
                      .layer_sizes = {6, 4},
                      .attn_length = 11};
  for (const bool around_stack : {false, true}) {
    spec.attention_around_stack = around_stack;
    const auto window =
        DetectAttentionLength(BuildMetaGraph(spec, {}),
                              {.layer_sizes = spec.layer_sizes,
                               .attention = true,
                               .attention_around_stack = around_stack},
                              "model");
    ASSERT_TRUE(window.ok()) << window.status();
    EXPECT_EQ(*window, 11);
  }
}

TEST(DetectArchitectureTest, TellsAttentionAroundTheStackByItsNames) {
  const std::string scope = "rnn/attention_cell_wrapper/";
  TensorMap tensors;
  tensors[scope + "attention/attn_v"] = Tensor({12});
  tensors[scope + "multi_rnn_cell/cell_0/basic_lstm_cell/bias"] = Tensor({64});
  tensors[scope + "multi_rnn_cell/cell_1/basic_lstm_cell/bias"] = Tensor({48});
  const auto shape = DetectArchitecture(tensors, "model");
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_TRUE(shape->attention && shape->attention_around_stack);
  EXPECT_EQ(shape->layer_sizes, (std::vector<int>{16, 12}));
}

TEST(DetectArchitectureTest, TellsTheCellByItsNames) {
  const NetworkSpec spec = {.input_size = 9,
                            .head_sizes = {5},
                            .default_label = {0},
                            .layer_sizes = {6, 4},
                            .cell = Cell::kGru};
  TensorMap tensors;
  for (const Parameter& parameter : NetworkParameters(spec)) {
    std::vector<int64_t> dims;
    for (int i = 0; i < parameter.shape.rank(); ++i) {
      dims.push_back(parameter.shape[i]);
    }
    tensors[parameter.name] = Tensor(dims);
  }
  const auto shape = DetectArchitecture(tensors, "model");
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ(shape->cell, Cell::kGru);
  EXPECT_EQ(shape->layer_sizes, spec.layer_sizes);
  EXPECT_EQ(shape->input_size, 9);
  EXPECT_EQ(shape->num_classes, 5);
  EXPECT_FALSE(shape->attention || shape->residual_connections);

  tensors["rnn/multi_rnn_cell/cell_0/attention_cell_wrapper/attention/attn_v"] =
      Tensor({6});
  EXPECT_FALSE(DetectArchitecture(tensors, "model").ok());
}

}  // namespace
}  // namespace continuo
