// SPDX-License-Identifier: Apache-2.0

// A bundle of TensorFlow 0.x: old variable names, attention around the whole
// stack, one state tensor. Made here, because none is at hand; what it has to
// compute comes from a loop in double precision.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/proto/metagraph.pb.h"
#include "data/records/sparse_rows.h"
#include "generate/model/load_model.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "models/config/run_config.h"
#include "models/network/event_rnn_decoder.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/stack_attention.h"

namespace continuo {
namespace {

// The input and the classes of attention_rnn; layers of two sizes.
constexpr int kInput = 74;
constexpr int kClasses = 40;
constexpr int kWindow = 6;
const std::vector<int>& Layers() {
  static const auto& layers = *new std::vector<int>{9, 7};
  return layers;
}
constexpr int kStateWidth = 2 * (9 + 7) + 7 + kWindow * 7;

// The meta graph of such a bundle, as far as it is read.
std::string MetaGraph(int state_width) {
  tensorflow::MetaGraphDef graph;
  (*graph.mutable_collection_def())["initial_state"]
      .mutable_node_list()
      ->add_value("zeros:0");
  tensorflow::NodeDef* node = graph.mutable_graph_def()->add_node();
  node->set_name("zeros");
  node->set_op("Fill");
  auto* shape =
      (*node->mutable_attr())["_output_shapes"].mutable_list()->add_shape();
  shape->add_dim()->set_size(1);
  shape->add_dim()->set_size(state_width);
  return graph.SerializeAsString();
}

class LegacyBundleTest : public ::testing::Test {
 protected:
  LegacyBundleTest()
      : pool_(2),
        tensors_(testing::StackAttentionTensors(kInput, kClasses, Layers())) {}

  absl::StatusOr<LoadedModel> Load(const Bundle& bundle) {
    const std::string path = absl::StrCat(::testing::TempDir(), "/legacy.mag");
    CONTINUO_CHECK(WriteBundle(path, bundle).ok());
    ModelSource source;
    source.bundle_file = path;
    return LoadModel(source, Family::kMelody, {.device = {}, .pool = &pool_});
  }

  Bundle Legacy() const {
    Bundle bundle;
    bundle.id = "attention_rnn";
    bundle.tensors = tensors_;
    bundle.metagraph = MetaGraph(kStateWidth);
    return bundle;
  }

  ThreadPool pool_;
  TensorMap tensors_;
};

TEST_F(LegacyBundleTest, DecodesAsTheLoopInDoublePrecision) {
  const auto model = Load(Legacy());
  ASSERT_TRUE(model.ok()) << model.status();
  const NetworkSpec& spec = model->rnn->spec();
  EXPECT_TRUE(spec.attention_around_stack);
  EXPECT_EQ(spec.layer_sizes, Layers());
  EXPECT_EQ(spec.attn_length, kWindow);

  // Several rows that are reordered on the way, longer than the window.
  constexpr int kRows = 3;
  const auto decoder = EventRnnDecoder::Create(model->rnn.get(), kRows);
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  ASSERT_TRUE((*decoder)->Reset(kRows).ok());
  std::vector<testing::StackAttention> reference;
  for (int r = 0; r < kRows; ++r) {
    reference.emplace_back(tensors_, Layers(), kWindow);
  }
  for (int step = 0; step < 20; ++step) {
    if (step == 4 || step == 13) {
      const std::vector<int32_t> source = {2, 0, 2};
      ASSERT_TRUE((*decoder)->Reorder(source).ok());
      const std::vector<testing::StackAttention> before = reference;
      reference.clear();
      for (int32_t row : source) reference.push_back(before[row]);
    }
    SparseRows inputs;
    inputs.width = kInput;
    std::vector<testing::Doubles> dense(kRows, testing::Doubles(kInput, 0.0));
    for (int r = 0; r < kRows; ++r) {
      const int first = (7 * step + 11 * r) % 30;
      inputs.Add(first, 1.0f);
      inputs.Add(first + 20, -0.5f);
      inputs.EndRow();
      dense[r][first] = 1;
      dense[r][first + 20] = -0.5;
    }
    std::vector<float> logits(kRows * kClasses);
    ASSERT_TRUE((*decoder)->Step(inputs, absl::MakeSpan(logits)).ok());
    for (int r = 0; r < kRows; ++r) {
      const testing::Doubles expected = reference[r].Step(dense[r]);
      for (int k = 0; k < kClasses; ++k) {
        ASSERT_NEAR(logits[r * kClasses + k], expected[k], 2e-5)
            << "step " << step << " row " << r << " class " << k;
      }
      const auto state = (*decoder)->GetState(r);
      ASSERT_TRUE(state.ok()) << state.status();
      std::vector<float> flat;
      for (const std::vector<float>& tensor : *state) {
        flat.insert(flat.end(), tensor.begin(), tensor.end());
      }
      const testing::Doubles expected_state = reference[r].State();
      ASSERT_EQ(flat.size(), kStateWidth);
      ASSERT_EQ(expected_state.size(), kStateWidth);
      for (int k = 0; k < kStateWidth; ++k) {
        ASSERT_NEAR(flat[k], expected_state[k], 2e-5) << step << " " << k;
      }
    }
  }
}

TEST_F(LegacyBundleTest, WithoutAttentionOnlyNamesDiffer) {
  const std::string cell = "RNN/MultiRNNCell/Cell0/BasicLSTMCell/Linear/";
  Bundle bundle;
  bundle.id = "basic_rnn";
  bundle.tensors[cell + "Matrix"] = {
      .shape = {38 + 5, 20},
      .floats = std::vector<float>(43 * 20, 0.1f),
      .ints = {}};
  bundle.tensors[cell + "Bias"] = {
      .shape = {20}, .floats = std::vector<float>(20, 0.2f), .ints = {}};
  bundle.tensors["fully_connected/weights"] = {
      .shape = {5, 38}, .floats = std::vector<float>(190, 0.3f), .ints = {}};
  bundle.tensors["fully_connected/biases"] = {
      .shape = {38}, .floats = std::vector<float>(38, 0.4f), .ints = {}};
  const auto model = Load(bundle);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->rnn->spec().layer_sizes, std::vector<int>{5});
  EXPECT_FALSE(model->rnn->spec().attention_around_stack);
}

TEST_F(LegacyBundleTest, WhatDoesNotFitIsAnErrorThatNamesTheFile) {
  for (const int width : {0, 38, kStateWidth - 1, kStateWidth + 1}) {
    Bundle bundle = Legacy();
    bundle.metagraph = MetaGraph(width);
    const auto model = Load(bundle);
    ASSERT_FALSE(model.ok()) << width;
    EXPECT_NE(model.status().message().find("legacy.mag"), std::string::npos)
        << model.status();
  }
  for (const auto& [name, tensor] : tensors_) {
    Bundle bundle = Legacy();
    bundle.tensors.erase(name);
    const auto model = Load(bundle);
    ASSERT_FALSE(model.ok()) << name;
    EXPECT_NE(model.status().message().find("legacy.mag"), std::string::npos)
        << model.status();
  }
}

TEST_F(LegacyBundleTest, CheckpointAloneNeedsTheWindow) {
  const std::string dir = ::testing::TempDir() + "/legacy_checkpoint";
  ASSERT_TRUE(MakeDirectories(dir).ok());
  ModelSource source;
  source.checkpoint_file = dir + "/model.ckpt";
  ASSERT_TRUE(
      WriteFileAtomically(source.checkpoint_file, BuildCheckpointV1(tensors_))
          .ok());
  const Stream stream = {.device = {}, .pool = &pool_};
  source.config = "attention_rnn";
  source.hparams = absl::StrCat("attn_length=", kWindow);
  const auto model = LoadModel(source, Family::kMelody, stream);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(model->rnn->spec().attention_around_stack);

  // A configuration stored beside it that belongs to another network.
  source.hparams = "";
  ModelConfig other = *FindConfig(Family::kMelody, "attention_rnn");
  for (const int attn_length : {0, 40}) {
    for (const bool residual : {false, true}) {
      other.hparams.attn_length = attn_length;
      other.hparams.residual_connections = residual;
      ASSERT_TRUE(
          WriteRunConfig(dir, {.model = other, .seed = 1, .version = "1"})
              .ok());
      const auto mixed = LoadModel(source, Family::kMelody, stream);
      ASSERT_FALSE(mixed.ok());
      EXPECT_NE(mixed.status().message().find("model.ckpt"), std::string::npos)
          << mixed.status();
    }
  }
  std::remove((dir + "/" + kRunConfigFile).c_str());
}

}  // namespace
}  // namespace continuo
