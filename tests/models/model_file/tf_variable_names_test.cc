// SPDX-License-Identifier: Apache-2.0

#include "models/model_file/tf_variable_names.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(TfVariableNamesTest, NamesOfOlderReleasesBecomeCurrentOnes) {
  const std::string cell = "rnn/multi_rnn_cell/cell_1/basic_lstm_cell/";
  const std::string wrapper = "rnn/attention_cell_wrapper/";
  const std::vector<std::pair<std::string, std::string>> cases = {
      // TensorFlow 0.x.
      {"RNN/MultiRNNCell/Cell1/BasicLSTMCell/Linear/Matrix", cell + "kernel"},
      {"RNN/MultiRNNCell/Cell1/BasicLSTMCell/Linear/Bias", cell + "bias"},
      {"RNN/MultiRNNCell/Cell12/BasicLSTMCell/Linear/Bias",
       "rnn/multi_rnn_cell/cell_12/basic_lstm_cell/bias"},
      {"RNN/AttentionCellWrapper/Linear/Matrix", wrapper + "kernel"},
      {"RNN/AttentionCellWrapper/MultiRNNCell/Cell0/BasicLSTMCell/Linear/Bias",
       wrapper + "multi_rnn_cell/cell_0/basic_lstm_cell/bias"},
      {"RNN/AttentionCellWrapper/Attention/AttnW",
       wrapper + "attention/attn_w"},
      {"RNN/AttentionCellWrapper/Attention/AttnV",
       wrapper + "attention/attn_v"},
      {"RNN/AttentionCellWrapper/Attention/Linear/Matrix",
       wrapper + "attention/kernel"},
      {"RNN/AttentionCellWrapper/AttnOutputProjection/Linear/Bias",
       wrapper + "attn_output_projection/bias"},
      // TensorFlow 1.0 and 1.1.
      {cell + "weights", cell + "kernel"},
      {cell + "biases", cell + "bias"},
      {"rnn/multi_rnn_cell/cell_0/attention_cell_wrapper/attention/weights",
       "rnn/multi_rnn_cell/cell_0/attention_cell_wrapper/attention/kernel"},
      // Slots of the optimizer.
      {cell + "weights/Adam", cell + "kernel/Adam"},
      {"RNN/AttentionCellWrapper/Linear/Bias/Adam_1", wrapper + "bias/Adam_1"},
      {"fully_connected/weights/Adam_1", "fully_connected/weights/Adam_1"},
      // As they are today.
      {cell + "kernel", cell + "kernel"},
      {"fully_connected/weights", "fully_connected/weights"},
      {"fully_connected/biases", "fully_connected/biases"},
      {"global_step", "global_step"},
      {"", ""}};
  for (const auto& [old_name, current] : cases) {
    EXPECT_EQ(CurrentVariableName(old_name), current) << old_name;
  }
}

TEST(TfVariableNamesTest, TensorsKeepTheirValuesAndNoneIsLost) {
  TensorMap tensors;
  tensors["rnn/a/weights"] = {.shape = {1}, .floats = {5}, .ints = {}};
  auto current = WithCurrentNames(tensors, "model");
  ASSERT_TRUE(current.ok()) << current.status();
  EXPECT_EQ(current->at("rnn/a/kernel").floats, std::vector<float>{5});
  tensors["rnn/a/kernel"] = {.shape = {1}, .floats = {6}, .ints = {}};
  const auto twice = WithCurrentNames(tensors, "model.ckpt");
  EXPECT_EQ(twice.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(twice.status().message().find("model.ckpt"), std::string::npos);
}

}  // namespace
}  // namespace continuo
