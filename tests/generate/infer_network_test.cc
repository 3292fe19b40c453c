#include "generate/infer_network.h"

#include <string>

#include "gtest/gtest.h"

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

TEST(InferNetworkTest, ReadsLayersAttentionAndResiduals) {
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
  const auto shape = InferNetworkShape(tensors, "model");
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ(shape->layer_sizes, (std::vector<int>{16, 12}));
  EXPECT_TRUE(shape->attention);
  EXPECT_TRUE(shape->residual_connections);
}

TEST(InferNetworkTest, RefusesOtherTensors) {
  TensorMap tensors;
  EXPECT_FALSE(InferNetworkShape(tensors, "model").ok());
  tensors["RNN/AttentionCellWrapper/Attention/AttnV"] = Tensor({64});
  const auto legacy = InferNetworkShape(tensors, "model");
  EXPECT_NE(legacy.status().message().find("TensorFlow 0.x"),
            std::string::npos);
  tensors.clear();
  tensors["rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias"] = Tensor({10});
  const auto odd = InferNetworkShape(tensors, "model");
  EXPECT_NE(odd.status().message().find("[10]"), std::string::npos);
}

TEST(InferNetworkTest, AttentionLengthNeedsTheMetaGraph) {
  EXPECT_FALSE(InferAttentionLength("", 16, "model").ok());
  EXPECT_FALSE(InferAttentionLength("not a message", 16, "model").ok());
}

}  // namespace
}  // namespace continuo
