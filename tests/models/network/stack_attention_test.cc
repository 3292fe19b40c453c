// SPDX-License-Identifier: Apache-2.0

// Training of networks whose attention is around all layers, against the loop
// in double precision that knows nothing of it.

#include "tests/testing/stack_attention.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/model_file/tf_variable_names.h"
#include "models/network/weights.h"
#include "tests/models/network/small_network.h"

namespace continuo {
namespace {

using testing::Doubles;

// Sequences that are longer and shorter than the window.
constexpr int kWindow = 4;
const std::vector<int>& Layers() {
  static const auto& layers = *new std::vector<int>{9, 7, 8};
  return layers;
}

class StackAttentionTest : public ::testing::Test {
 protected:
  StackAttentionTest()
      : spec_(testing::StackSpec(kWindow, Layers())),
        tensors_(testing::StackAttentionTensors(spec_.input_size,
                                                spec_.num_classes(), Layers())),
        model_(spec_, 2) {
    for (const int length : {9, 1, 6, 4}) {
      examples_.push_back(testing::Example(spec_, length, length));
    }
    const auto flat =
        FlatFromTensors(model_.rnn->parameters(),
                        *WithCurrentNames(tensors_, "test"), "", "test");
    EXPECT_TRUE(flat.ok()) << flat.status();
    EXPECT_TRUE(model_.rnn->SetWeights(*flat).ok());
  }

  // The logits of an example, one vector for each event.
  std::vector<Doubles> Logits(const TensorMap& tensors,
                              const EncodedSequence& example) const {
    testing::StackAttention network(tensors, Layers(), kWindow);
    std::vector<Doubles> logits;
    for (int64_t t = 0; t < example.inputs.rows(); ++t) {
      Doubles x(spec_.input_size, 0.0);
      const SparseRows& rows = example.inputs;
      for (int32_t i = rows.row_begin[t]; i < rows.row_begin[t + 1]; ++i) {
        x[rows.index[i]] = rows.value[i];
      }
      logits.push_back(network.Step(x));
    }
    return logits;
  }

  // The mean cross-entropy over the labels of all examples.
  double Loss(const TensorMap& tensors) const {
    double loss = 0;
    size_t labels = 0;
    for (const EncodedSequence& example : examples_) {
      size_t label = 0;
      for (const Doubles& logits : Logits(tensors, example)) {
        const double* head = logits.data();
        for (const int size : spec_.head_sizes) {
          double sum = 0;
          for (int k = 0; k < size; ++k) sum += std::exp(head[k]);
          loss += std::log(sum) - head[example.labels[label++]];
          head += size;
        }
      }
      labels += label;
    }
    return loss / static_cast<double>(labels);
  }

  NetworkSpec spec_;
  TensorMap tensors_;  // under the names of TensorFlow 0.x
  std::vector<EncodedSequence> examples_;
  testing::Model model_;
};

TEST_F(StackAttentionTest, LogitsAndLossAreThoseOfTheDoubleLoop) {
  const PackedBatch batch = testing::Pack(examples_);
  const std::vector<float> got = model_.Logits(batch);
  const int64_t classes = spec_.num_classes();
  for (int row = 0; row < batch.num_rows(); ++row) {
    const auto want = Logits(tensors_, examples_[batch.source[row]]);
    for (size_t t = 0; t < want.size(); ++t) {
      for (int64_t k = 0; k < classes; ++k) {
        const int64_t event = batch.step_begin[t] + row;
        ASSERT_NEAR(got[event * classes + k], want[t][k], 1e-5)
            << row << " " << t << " " << k;
      }
    }
  }
  LossSums sums;
  ASSERT_TRUE(model_.trainer->Evaluate(batch, {}, &sums).ok());
  EXPECT_NEAR(sums.cross_entropy / static_cast<double>(sums.labels),
              Loss(tensors_), 1e-6);
}

// Of every tensor: along its gradient, where it is a sum of squares, and along
// a direction that has nothing to do with it.
TEST_F(StackAttentionTest, GradientsAreSlopesOfTheDoubleLoop) {
  const std::vector<float> flat =
      model_.Gradient(testing::Pack(examples_), DropoutSpec());
  TensorMap gradient;
  AddFlatToTensors(model_.rnn->parameters(), "", flat, &gradient);
  ASSERT_EQ(gradient.size(), tensors_.size());
  for (const auto& [name, tensor] : tensors_) {
    const std::vector<float>& g = gradient.at(CurrentVariableName(name)).floats;
    ASSERT_EQ(g.size(), tensor.floats.size());
    double norm = 0;
    for (float x : g) norm += double{x} * x;
    norm = std::sqrt(norm);
    EXPECT_GT(norm, 1e-4) << name;
    for (const bool along : {true, false}) {
      std::vector<double> direction;
      for (size_t i = 0; i < g.size(); ++i) {
        direction.push_back(along ? g[i] / norm
                                  : std::cos(static_cast<double>(7 * i)) /
                                        std::sqrt(double(g.size())));
      }
      const auto moved = [&](double step, double* slope) {
        TensorMap other = tensors_;
        std::vector<float>& values = other[name].floats;
        for (size_t i = 0; i < g.size(); ++i) {
          values[i] += static_cast<float>(step * direction[i]);
          // What has been added is a float, and so is the sum.
          *slope += g[i] * (double{values[i]} - tensor.floats[i]);
        }
        return Loss(other);
      };
      double ahead = 0, behind = 0;
      const double difference = moved(1e-3, &ahead) - moved(-1e-3, &behind);
      EXPECT_NEAR(difference, ahead - behind, 2e-3 * 1e-4 * norm)
          << name << (along ? "" : ", another direction");
    }
  }
}

}  // namespace
}  // namespace continuo
