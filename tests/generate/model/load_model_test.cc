// SPDX-License-Identifier: Apache-2.0

#include "generate/model/load_model.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/run_config.h"
#include "models/network/weights.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

class LoadModelTest : public ::testing::Test {
 protected:
  LoadModelTest() : pool_(1) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ = absl::StrCat(::testing::TempDir(), "/load_model_", test->name());
    std::filesystem::remove_all(dir_);
  }

  // A small attention_rnn in `train/` of `name`, one weight marking `step`.
  void WriteRun(const std::string& name, bool store_config, int64_t step = 7) {
    ModelConfig config = *FindConfig(Family::kMelody, "attention_rnn");
    CONTINUO_CHECK(
        ParseHparams("rnn_layer_sizes=[8,6],attn_length=4", &config.hparams)
            .ok());
    const auto encoder = MakeEventEncoder(config.encoding);
    const NetworkSpec spec = MakeNetworkSpec(*encoder, config.hparams);
    const std::vector<Parameter> parameters = NetworkParameters(spec);
    std::vector<float> flat(FlatSize(parameters));
    InitializeParameters(parameters, 1, absl::MakeSpan(flat));
    flat[0] = static_cast<float>(step);
    TensorMap tensors;
    AddFlatToTensors(parameters, "", flat, &tensors);
    const std::string train = dir_ + "/" + name + "/train";
    CONTINUO_CHECK(MakeDirectories(train).ok());
    const std::string prefix =
        JoinPath(train, absl::StrCat("model.ckpt-", step));
    CONTINUO_CHECK(WriteCheckpointV2(prefix, tensors).ok());
    CONTINUO_CHECK(
        WriteCheckpointState(train, {.latest = prefix, .all = {prefix}}).ok());
    if (!store_config) return;
    CONTINUO_CHECK(
        WriteRunConfig(train, {.model = config, .seed = 1, .version = "1"})
            .ok());
  }

  absl::StatusOr<LoadedModel> Load(const ModelSource& source) {
    return LoadModel(source, Family::kMelody, {.device = {}, .pool = &pool_});
  }

  ModelSource Run(const std::string& name) {
    ModelSource source;
    source.run_dir = dir_ + "/" + name;
    return source;
  }

  static float FirstWeight(const LoadedModel& model) {
    std::vector<float> flat(model.rnn->flat_size());
    CONTINUO_CHECK(model.rnn->GetWeights(absl::MakeSpan(flat)).ok());
    return flat[0];
  }

  void ExpectError(const ModelSource& source,
                   const std::vector<std::string>& words) {
    const auto model = Load(source);
    ASSERT_FALSE(model.ok());
    for (const std::string& word : words) {
      EXPECT_NE(model.status().message().find(word), std::string::npos)
          << word << " in: " << model.status();
    }
  }

  ThreadPool pool_;
  std::string dir_;
};

TEST_F(LoadModelTest, RunKnowsItsConfiguration) {
  WriteRun("run", true);
  const auto model = Load(Run("run"));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->config.name, "attention_rnn");
  EXPECT_EQ(model->rnn->spec().layer_sizes, (std::vector<int>{8, 6}));
  EXPECT_EQ(model->rnn->spec().attn_length, 4);
  EXPECT_EQ(FirstWeight(*model), 7);
}

TEST_F(LoadModelTest, AgreeingFlagsAndAnyBatchSizeAreAccepted) {
  WriteRun("run", true);
  ModelSource source = Run("run");
  source.config = "attention_rnn";
  source.hparams = "batch_size=1,rnn_layer_sizes=[8,6],learning_rate=0.001";
  EXPECT_TRUE(Load(source).ok()) << Load(source).status();
}

TEST_F(LoadModelTest, DisagreeingFlagsAreErrorsThatNameBothValues) {
  WriteRun("run", true);
  ModelSource source = Run("run");
  source.hparams = "rnn_layer_sizes=[64,64]";
  ExpectError(source, {"`hparams`", "rnn_layer_sizes=[64,64]",
                       "rnn_layer_sizes=[8,6]"});
  source.hparams = "attn_length=40";
  ExpectError(source, {"attn_length=40", "attn_length=4"});
  source.hparams = "nonsense=1";
  ExpectError(source, {"`hparams`", "nonsense"});
  source.hparams = "";
  source.config = "basic_rnn";
  ExpectError(source, {"`config`=basic_rnn", "`config`=attention_rnn"});
  source.config = "no_such_rnn";
  ExpectError(source, {"no_such_rnn", "attention_rnn"});
}

TEST_F(LoadModelTest, RunOfMagentaNeedsAConfiguration) {
  WriteRun("old", false);
  ExpectError(Run("old"), {"`config`", "`melody_encoder_decoder`"});
  ModelSource source = Run("old");
  source.config = "attention_rnn";
  source.hparams = "rnn_layer_sizes=[8,6],attn_length=4";
  const auto model = Load(source);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->rnn->spec().attn_length, 4);

  // Sizes need not be typed again; wrong ones are errors.
  source.hparams = "attn_length=4";
  EXPECT_TRUE(Load(source).ok());
  source.hparams = "rnn_layer_sizes=[8],attn_length=4";
  ExpectError(source, {"rnn_layer_sizes=[8]", "rnn_layer_sizes=[8,6]"});

  source.config = "";
  source.melody_encoder_decoder = "key";
  source.hparams = "";
  ExpectError(source, {"attn_length"});
  source.melody_encoder_decoder = "onehot";
  source.hparams = "attn_length=4";
  ExpectError(source, {"`melody_encoder_decoder`=onehot", "74 inputs",
                       "`config`=attention_rnn"});
}

TEST_F(LoadModelTest, TwoModelsAreAnErrorThatNamesBothFlags) {
  WriteRun("new", true, 20);
  WriteRun("other", true, 10);
  ModelSource source = Run("new");
  source.checkpoint_file = dir_ + "/other/train/model.ckpt-10";
  ExpectError(source, {"`run_dir`", "`checkpoint_file`"});
  source.bundle_file = "x.mag";
  ExpectError(source, {"`run_dir`", "`checkpoint_file`"});
  source.run_dir = "";
  ExpectError(source, {"`bundle_file`", "`checkpoint_file`"});
  source.bundle_file = "";
  EXPECT_EQ(FirstWeight(*Load(source)), 10);
  for (const char* folder : {"/other/train", "/other"}) {
    source.checkpoint_file = dir_ + folder;
    EXPECT_EQ(FirstWeight(*Load(source)), 10);
  }
}

TEST_F(LoadModelTest, ADamagedNewestCheckpointIsPassedOver) {
  WriteRun("run", true, 3);
  WriteRun("run", true, 5);
  const std::string train = dir_ + "/run/train";
  ASSERT_TRUE(
      WriteCheckpointState(train, {.latest = "model.ckpt-5",
                                   .all = {"model.ckpt-3", "model.ckpt-5"}})
          .ok());
  EXPECT_EQ(FirstWeight(*Load(Run("run"))), 5);
  const std::string data = train + "/model.ckpt-5.data-00000-of-00001";
  std::string bytes = testing::MustRead(data);
  bytes[60] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(data, bytes).ok());
  ::testing::internal::CaptureStderr();
  const auto model = Load(Run("run"));
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(FirstWeight(*model), 3);
  EXPECT_EQ(model->path, train + "/model.ckpt-3");
  EXPECT_NE(log.find("model.ckpt-5 cannot be used; using "), std::string::npos)
      << log;
  // One that is named is not replaced by another.
  ModelSource source;
  source.checkpoint_file = train + "/model.ckpt-5";
  ExpectError(source, {"checksum"});
}

TEST_F(LoadModelTest, AMissingStateFileIsSaidToBeMissing) {
  WriteRun("run", true);
  ASSERT_EQ(std::remove((dir_ + "/run/train/checkpoint").c_str()), 0);
  ExpectError(Run("run"), {"holds checkpoints", "model_checkpoint_path"});
}

TEST_F(LoadModelTest, StepZeroIsWarnedAbout) {
  WriteRun("run", true);
  const std::string prefix = dir_ + "/run/train/model.ckpt-7";
  TensorMap tensors = *ReadCheckpoint(prefix);
  for (const int64_t step : {0, 1}) {
    tensors["global_step"] = {
        .dtype = DType::kInt64, .shape = {}, .floats = {}, .ints = {step}};
    ASSERT_TRUE(WriteCheckpointV2(prefix, tensors).ok());
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(Load(Run("run")).ok());
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("step 0: the network has learned nothing yet") !=
                  std::string::npos,
              step == 0)
        << log;
  }
}

TEST_F(LoadModelTest, SourcesThatCannotBeUsedAreErrors) {
  ExpectError({}, {"`run_dir`", "`checkpoint_file`", "`bundle_file`"});
  ModelSource source = Run("missing");
  ExpectError(source, {"`run_dir`", "missing"});
  source.bundle_file = "x.mag";
  ExpectError(source, {"`bundle_file`", "`run_dir`"});
  source.run_dir = "";
  ExpectError(source, {"x.mag"});
  source.bundle_file = "";
  source.checkpoint_file = dir_ + "/none";
  ExpectError(source, {"none"});
  source.config = "basic_rnn";
  source.melody_encoder_decoder = "key";
  ExpectError(source, {"`config`", "`melody_encoder_decoder`"});
}

TEST_F(LoadModelTest, ModelOfAnotherFamilyIsRefused) {
  WriteRun("drums", true);
  const std::string train = dir_ + "/drums/train";
  RunConfig config = *ReadRunConfig(train);
  config.model = *FindConfig(Family::kDrums, "drum_kit");
  ASSERT_TRUE(WriteRunConfig(train, config).ok());
  ExpectError(Run("drums"), {"drums_rnn_generate"});
}

}  // namespace
}  // namespace continuo
