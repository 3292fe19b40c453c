// SPDX-License-Identifier: Apache-2.0

// A bundle of TensorFlow 0.x, whose attention is around all layers, as the
// start of a run: trained, resumed, evaluated, scored, generated from and made
// into a bundle again.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "generate/model/load_model.h"
#include "generate/model/save_bundle.h"
#include "generate/scoring/score.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/checkpoint.h"
#include "models/model_file/tf_variable_names.h"
#include "runtime/files/file.h"
#include "tests/testing/stack_attention.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/evaluator.h"

namespace continuo {
namespace {

// Of attention_rnn.
constexpr int kInput = 74;
constexpr int kClasses = 40;
constexpr int kAttnLength = 5;

class StackAttentionRunTest : public ::testing::Test {
 protected:
  StackAttentionRunTest()
      : tensors_(testing::StackAttentionTensors(kInput, kClasses, {8, 6})) {
    for (int i = 0; i < 7; ++i) examples_.push_back(MakeExample(i, 3 + 5 * i));
    std::vector<std::string> records;
    for (const EncodedSequence& example : examples_) {
      std::vector<int> inputs(example.inputs.index.begin(),
                              example.inputs.index.end());
      records.push_back(testing::OneHotExample(inputs, example.labels, kInput));
    }
    testing::MustWriteRecords(dir_.Path("data"), records);
    Bundle bundle;
    bundle.id = "attention_rnn";
    bundle.tensors = tensors_;
    EXPECT_TRUE(WriteBundle(dir_.Path("legacy.mag"), bundle).ok());
  }

  static EncodedSequence MakeExample(int variant, int steps) {
    EncodedSequence example;
    example.inputs.width = kInput;
    const auto event = [&](int i) {
      return i % 4 == 0 ? 2 + (variant * 5 + i) % (kClasses - 2) : 0;
    };
    for (int i = 0; i < steps; ++i) {
      example.inputs.Add(event(i), 1.0f);
      example.inputs.EndRow();
      example.labels.push_back(event(i + 1));
    }
    return example;
  }

  // A run in `folder`; it begins with the bundle.
  TrainOptions Run(const std::string& folder, int64_t steps) const {
    TrainOptions options;
    options.run_dir = dir_.Path(folder);
    options.sequence_example_file = dir_.Path("data");
    options.model.config = "attention_rnn";
    options.model.hparams = absl::StrCat(
        "batch_size=4,rnn_layer_sizes=[8,6],dropout_keep_prob=0.7,"
        "learning_rate=0.01,attn_length=",
        kAttnLength);
    options.warm_start_bundle_file = dir_.Path("legacy.mag");
    options.seed = 17;
    options.num_training_steps = steps;
    return options;
  }

  absl::StatusOr<LoadedModel> Load(const ModelSource& source) {
    return LoadModel(source, Family::kMelody, stream());
  }
  ModelSource RunOf(const std::string& folder) const {
    ModelSource source;
    source.run_dir = dir_.Path(folder);
    return source;
  }
  Stream stream() { return {.device = {}, .pool = &pool_}; }

  testing::ScratchDir dir_;
  ThreadPool pool_{2};
  TensorMap tensors_;
  std::vector<EncodedSequence> examples_;
};

TEST_F(StackAttentionRunTest, TakesTheFormAndResumesBitForBit) {
  for (const int64_t steps : {3, 6}) {
    const auto result = testing::RunTraining(Run("halves", steps));
    ASSERT_TRUE(result.ok()) << result.status();
  }
  ASSERT_TRUE(testing::RunTraining(Run("whole", 6), /*threads=*/1).ok());
  const auto start = ReadCheckpoint(dir_.Path("whole/train/model.ckpt-0"));
  ASSERT_TRUE(start.ok()) << start.status();
  for (const auto& [name, tensor] : tensors_) {
    const auto found = start->find(CurrentVariableName(name));
    ASSERT_TRUE(found != start->end()) << name;
    EXPECT_EQ(found->second.floats, tensor.floats) << name;
  }
  const auto whole = ReadCheckpoint(dir_.Path("whole/train/model.ckpt-6"));
  const auto halves = ReadCheckpoint(dir_.Path("halves/train/model.ckpt-6"));
  ASSERT_TRUE(whole.ok() && halves.ok());
  EXPECT_TRUE(testing::SameTensors(*whole, *halves));
  EXPECT_FALSE(testing::SameTensors(*whole, *start));
}

TEST_F(StackAttentionRunTest, IsEvaluatedScoredAndDecoded) {
  ASSERT_TRUE(testing::RunTraining(Run("run", 4)).ok());
  EvalOptions eval;
  eval.run_dir = dir_.Path("run");
  eval.sequence_example_file = dir_.Path("data");
  eval.once = true;
  const StopFlag never{false};
  const absl::Status status = FollowCheckpoints(eval, stream(), never);
  ASSERT_TRUE(status.ok()) << status;
  const auto lines =
      testing::ReadJsonLines(JoinPath(EvalDir(eval.run_dir), "log.jsonl"));
  ASSERT_EQ(lines.size(), 1);

  const auto model = Load(RunOf("run"));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(model->rnn->spec().attention_around_stack);
  EXPECT_EQ(model->rnn->spec().attn_length, kAttnLength);
  const auto scores = ScoreExamples(*model->rnn, *model->encoder, examples_, 3);
  ASSERT_TRUE(scores.ok()) << scores.status();
  double log_likelihood = 0;
  size_t labels = 0;
  for (size_t i = 0; i < examples_.size(); ++i) {
    log_likelihood += (*scores)[i].log_likelihood;
    labels += examples_[i].labels.size();
  }
  EXPECT_NEAR(lines[0]["loss"].get<double>(),
              -log_likelihood / static_cast<double>(labels), 1e-6);

  // As a bundle of its own: the same weights, form and window.
  BundleRequest request;
  request.bundle_file = dir_.Path("tuned.mag");
  const absl::Status saved =
      SaveBundle(RunOf("run"), request, Family::kMelody, stream());
  ASSERT_TRUE(saved.ok()) << saved;
  ModelSource tuned;
  tuned.bundle_file = request.bundle_file;
  const auto again = Load(tuned);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->rnn->spec().attention_around_stack);
  EXPECT_EQ(again->rnn->spec().attn_length, kAttnLength);
  const auto same = ScoreExamples(*again->rnn, *again->encoder, examples_, 7);
  ASSERT_TRUE(same.ok()) << same.status();
  for (size_t i = 0; i < examples_.size(); ++i) {
    EXPECT_EQ((*same)[i].log_likelihood, (*scores)[i].log_likelihood);
  }
}

TEST_F(StackAttentionRunTest, WithoutAttentionNamesWhatDoesNotFit) {
  TrainOptions options = Run("run", 1);
  options.model.hparams = "batch_size=4,rnn_layer_sizes=[8,6],attn_length=0";
  const auto result = testing::RunTraining(options);
  ASSERT_FALSE(result.ok());
  EXPECT_TRUE(absl::StrContains(result.status().message(), "legacy.mag"))
      << result.status();
  EXPECT_TRUE(absl::StrContains(result.status().message(), "`hparams`"))
      << result.status();
}

// A run of Magenta: its names, and no stored configuration.
TEST_F(StackAttentionRunTest, RunsOfMagentaAreEvaluatedAndGoOn) {
  TensorMap state = tensors_;
  for (const auto& [name, tensor] : tensors_) {
    HostTensor slot = tensor;
    for (float& value : slot.floats) value = 1e-4f;
    state[name + "/Adam"] = state[name + "/Adam_1"] = slot;
  }
  state["global_step"].dtype = DType::kInt64;
  state["global_step"].ints = {7};
  const std::string prefix = dir_.Path("old/train/model.ckpt-7");
  ASSERT_TRUE(MakeDirectories(dir_.Path("old/train")).ok());
  ASSERT_TRUE(WriteCheckpointV2(prefix, state).ok());
  ASSERT_TRUE(WriteCheckpointState(dir_.Path("old/train"),
                                   {.latest = prefix, .all = {prefix}})
                  .ok());
  TrainOptions options = Run("old", 8);
  options.warm_start_bundle_file = "";
  absl::StrAppend(&options.model.hparams, ",attention_around_stack=true");
  EvalOptions eval;
  eval.run_dir = options.run_dir;
  eval.sequence_example_file = options.sequence_example_file;
  eval.model = options.model;
  eval.once = true;
  const StopFlag never{false};
  const absl::Status status = FollowCheckpoints(eval, stream(), never);
  ASSERT_TRUE(status.ok()) << status;
  const auto result = testing::RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto after = ReadCheckpoint(dir_.Path("old/train/model.ckpt-8"));
  ASSERT_TRUE(after.ok()) << after.status();
  // Slots of before, decayed, and the first of a new gradient.
  const float m = after->at("fully_connected/biases/Adam").floats[0];
  EXPECT_NE(m, 0.0f);
  EXPECT_NE(m, 1e-4f);
}

// A new network of that form, without a bundle.
TEST_F(StackAttentionRunTest, TrainsFromTheBeginning) {
  TrainOptions options = Run("run", 30);
  options.warm_start_bundle_file = "";
  absl::StrAppend(&options.model.hparams, ",attention_around_stack=true");
  const auto result = testing::RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto model = Load(RunOf("run"));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(model->rnn->spec().attention_around_stack);
  // The run is of that form; a flag that says otherwise is refused.
  options.model.hparams = "attention_around_stack=false";
  EXPECT_FALSE(testing::RunTraining(options).ok());
}

}  // namespace
}  // namespace continuo
