// SPDX-License-Identifier: Apache-2.0

#include "models/layers/parameter.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(ParameterTest, PlacesAreAlignedAndDoNotOverlap) {
  ParameterList list;
  const DenseParameters dense = list.AddKernel("a/", 3, 5);
  const Parameter cube = list.Add("cube", {1, 1, 7, 7}, 7, 7);
  EXPECT_EQ(dense.kernel.name, "a/kernel");
  EXPECT_EQ(dense.bias.name, "a/bias");
  EXPECT_EQ(dense.kernel.offset, 0);
  EXPECT_EQ(dense.bias.offset, 16);
  EXPECT_EQ(cube.offset, 32);
  EXPECT_EQ(FlatSize(list.parameters()), 32 + 64);
  EXPECT_EQ(FlatSize({}), 0);
}

TEST(ParameterTest, BiasesStartAtTheirValueAndMatricesWithinTheirLimit) {
  ParameterList list;
  list.AddKernel("gates/", 4, 6, /*initial_bias=*/1);
  list.AddKernel("candidate/", 4, 3);
  std::vector<float> flat(FlatSize(list.parameters()), 9.0f);
  InitializeParameters(list.parameters(), 1, absl::MakeSpan(flat));
  const auto values = [&](size_t i) {
    const Parameter& parameter = list.parameters()[i];
    const auto begin = flat.begin() + parameter.offset;
    return std::vector<float>(begin, begin + parameter.size);
  };
  EXPECT_EQ(values(1), std::vector<float>(6, 1.0f));
  EXPECT_EQ(values(3), std::vector<float>(3, 0.0f));
  const auto [least, most] = std::minmax_element(
      flat.begin(), flat.begin() + list.parameters()[0].size);
  EXPECT_LT(*least, 0);
  EXPECT_GT(*most, 0);
  EXPECT_LE(std::max(-*least, *most), std::sqrt(6.0 / 10));
  EXPECT_EQ(flat[24], 0);  // a gap
}

TEST(ParameterTest, ViewsAreOfTheRowsInAFlatBuffer) {
  ParameterList list;
  list.AddKernel("a/", 2, 2);
  const Parameter cube = list.Add("cube", {1, 1, 3, 4}, 3, 4);
  std::vector<float> flat(FlatSize(list.parameters()));
  const TensorView all = ParameterView(flat.data(), cube);
  EXPECT_EQ(all.shape, Shape({3, 4}));
  EXPECT_EQ(all.data<float>(), flat.data() + cube.offset);
  const TensorView rows = ParameterRows(flat.data(), cube, 1, 3);
  EXPECT_EQ(rows.shape, Shape({2, 4}));
  EXPECT_EQ(rows.data<float>(), flat.data() + cube.offset + 4);
  const Parameter& bias = list.parameters()[1];
  EXPECT_EQ(ParameterView(flat.data(), bias).shape, Shape({2}));
}

}  // namespace
}  // namespace continuo
