// SPDX-License-Identifier: Apache-2.0

#include "models/network/network.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

NetworkSpec AttentionRnn() {
  NetworkSpec spec;
  spec.input_size = 74;
  spec.head_sizes = {40};
  spec.default_label = {36};
  spec.layer_sizes = {128, 128};
  spec.attn_length = 40;
  return spec;
}

// The shapes of the published attention_rnn (models/README.md).
TEST(NetworkTest, ShapesOfAttentionRnn) {
  const std::vector<Parameter> all = NetworkParameters(AttentionRnn());
  ASSERT_EQ(all.size(), 14u);
  EXPECT_EQ(all[0].name,
            "rnn/multi_rnn_cell/cell_0/attention_cell_wrapper/kernel");
  EXPECT_EQ(all[0].shape, Shape({202, 74}));
  EXPECT_EQ(all[2].shape, Shape({202, 512}));
  EXPECT_EQ(all[4].name,
            "rnn/multi_rnn_cell/cell_0/attention_cell_wrapper/attention/"
            "attn_w");
  EXPECT_EQ(all[4].shape, Shape({1, 1, 128, 128}));
  EXPECT_EQ(all[6].shape, Shape({256, 128}));
  EXPECT_EQ(all[10].name, "rnn/multi_rnn_cell/cell_1/basic_lstm_cell/kernel");
  EXPECT_EQ(all[10].shape, Shape({256, 512}));
  EXPECT_EQ(all[12].name, "fully_connected/weights");
  EXPECT_EQ(all[12].shape, Shape({128, 40}));
}

TEST(NetworkTest, ResidualLayersProjectWhereTheSizeChanges) {
  NetworkSpec spec = AttentionRnn();
  spec.attn_length = 0;
  spec.residual_connections = true;
  spec.layer_sizes = {16, 16, 12};
  const std::vector<Parameter> all = NetworkParameters(spec);
  int projections = 0;
  for (const Parameter& parameter : all) {
    if (parameter.name.find("input_projection_wrapper/kernel") ==
        std::string::npos) {
      continue;
    }
    ++projections;
    EXPECT_EQ(parameter.shape,
              projections == 1 ? Shape({74, 16}) : Shape({16, 12}));
  }
  EXPECT_EQ(projections, 2);
}

TEST(NetworkTest, TensorsAreAlignedAndDoNotOverlap) {
  NetworkSpec spec = AttentionRnn();
  spec.layer_sizes = {3, 5};
  const std::vector<Parameter> all = NetworkParameters(spec);
  int64_t end = 0;
  for (const Parameter& parameter : all) {
    EXPECT_EQ(parameter.offset % 16, 0);
    EXPECT_GE(parameter.offset, end);
    EXPECT_EQ(parameter.size, parameter.shape.num_elements());
    end = parameter.offset + parameter.size;
  }
  EXPECT_GE(FlatSize(all), end);
  EXPECT_EQ(FlatSize(all) % 16, 0);
}

TEST(NetworkTest, InitialWeightsAreGlorotUniform) {
  const std::vector<Parameter> all = NetworkParameters(AttentionRnn());
  std::vector<float> flat(FlatSize(all), 7.0f), again(flat), other(flat);
  InitializeParameters(all, 1, absl::MakeSpan(flat));
  InitializeParameters(all, 1, absl::MakeSpan(again));
  InitializeParameters(all, 2, absl::MakeSpan(other));
  EXPECT_EQ(flat, again);
  EXPECT_NE(flat, other);
  for (const Parameter& parameter : all) {
    const auto begin = flat.begin() + parameter.offset;
    const auto end = begin + parameter.size;
    const auto [low, high] = std::minmax_element(begin, end);
    if (parameter.fan_in == 0) {
      EXPECT_EQ(*low, 0.0f) << parameter.name;
      EXPECT_EQ(*high, 0.0f) << parameter.name;
      continue;
    }
    const double limit =
        std::sqrt(6.0 / (parameter.fan_in + parameter.fan_out));
    const double count = static_cast<double>(parameter.size);
    double sum = 0, squares = 0;
    for (auto it = begin; it != end; ++it) {
      sum += *it;
      squares += *it * *it;
    }
    EXPECT_GE(*low, -limit) << parameter.name;
    EXPECT_LE(*high, limit) << parameter.name;
    EXPECT_GT(*high, 0.9 * limit) << parameter.name;
    // Mean 0 and variance limit^2 / 3, within five standard errors.
    EXPECT_NEAR(sum / count, 0, 5 * limit / std::sqrt(3 * count));
    EXPECT_NEAR(squares / count / (limit * limit / 3), 1,
                5 * std::sqrt(0.8 / count));
  }
  // The gaps between tensors stay zero.
  const Parameter& bias = all[1];
  for (int64_t i = bias.offset + bias.size; i < all[2].offset; ++i) {
    EXPECT_EQ(flat[i], 0.0f);
  }
}

// The names and shapes of tf.contrib.rnn.GRUCell.
TEST(NetworkTest, GruVariables) {
  NetworkSpec spec = AttentionRnn();
  spec.attn_length = 0;
  spec.cell = Cell::kGru;
  spec.layer_sizes = {6, 5};
  const std::vector<Parameter> all = NetworkParameters(spec);
  ASSERT_EQ(all.size(), 10u);
  const std::string scope = "rnn/multi_rnn_cell/cell_1/gru_cell/";
  EXPECT_EQ(all[4].name, scope + "gates/kernel");
  EXPECT_EQ(all[4].shape, Shape({6 + 5, 10}));
  EXPECT_EQ(all[5].name, scope + "gates/bias");
  EXPECT_EQ(all[5].initial, 1);
  EXPECT_EQ(all[6].name, scope + "candidate/kernel");
  EXPECT_EQ(all[6].shape, Shape({6 + 5, 5}));
  EXPECT_EQ(all[7].name, scope + "candidate/bias");
  EXPECT_EQ(all[7].initial, 0);
}

}  // namespace
}  // namespace continuo
