// SPDX-License-Identifier: Apache-2.0

#include "models/model_file/model_file.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/safetensors.h"
#include "models/metagraph/metagraph.h"
#include "models/network/weights.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

// An attention_rnn of two small layers and a window of 4.
ModelConfig SmallConfig() {
  ModelConfig config = *FindConfig(Family::kMelody, "attention_rnn");
  CONTINUO_CHECK(ParseHparams("rnn_layer_sizes=[8,6],attn_length=4,"
                              "learning_rate=0.02,batch_size=7",
                              &config.hparams)
                     .ok());
  return config;
}

NetworkSpec SpecOf(const ModelConfig& config) {
  return MakeNetworkSpec(*MakeEventEncoder(config.encoding), config.hparams);
}

TensorMap TensorsOf(const ModelConfig& config) {
  const std::vector<Parameter> parameters = NetworkParameters(SpecOf(config));
  const std::vector<float> flat(FlatSize(parameters), 0.25f);
  TensorMap tensors;
  AddFlatToTensors(parameters, "", flat, &tensors);
  return tensors;
}

class ModelFileTest : public ::testing::Test {
 protected:
  ModelFileTest() : prefix_(dir_.Path("run/train/model.ckpt-7")) {
    CONTINUO_CHECK(MakeDirectories(dir_.Path("run/train")).ok());
    WriteTensors(prefix_);
    CONTINUO_CHECK(WriteCheckpointState(
                       dir_.Path("run/train"),
                       {.latest = "model.ckpt-7", .all = {"model.ckpt-7"}})
                       .ok());
  }

  static void WriteTensors(const std::string& prefix) {
    CONTINUO_CHECK(WriteCheckpointV2(prefix, TensorsOf(SmallConfig())).ok());
  }
  void WriteConfig(const ModelConfig& config) {
    CONTINUO_CHECK(WriteRunConfig(dir_.Path("run/train"),
                                  {.model = config, .seed = 1, .version = "1"})
                       .ok());
  }
  void WriteGraph(int window) {
    ModelConfig config = SmallConfig();
    config.hparams.attn_length = window;
    CONTINUO_CHECK(WriteFileAtomically(prefix_ + ".meta",
                                       BuildMetaGraph(SpecOf(config), {}))
                       .ok());
  }
  std::string WriteSmallBundle() {
    const std::string path = dir_.Path("m.mag");
    Bundle bundle;
    bundle.id = "attention_rnn";
    bundle.tensors = TensorsOf(SmallConfig());
    bundle.metagraph = BuildMetaGraph(SpecOf(SmallConfig()), {});
    bundle.first_events = {{-2, 3}, {60, 12}};
    CONTINUO_CHECK(WriteBundle(path, bundle).ok());
    return path;
  }

  absl::StatusOr<ModelConfig> Resolve(
      const absl::StatusOr<ModelFile>& file, const StatedModel& stated,
      Agreement agreement = Agreement::kSameModel) {
    CONTINUO_CHECK(file.ok());
    return ConfigOfModel(*file, Family::kMelody, stated, agreement);
  }
  absl::StatusOr<ModelConfig> Resolve(
      const StatedModel& stated, Agreement agreement = Agreement::kSameModel) {
    return Resolve(ReadCheckpointModel(prefix_), stated, agreement);
  }
  static void ExpectError(const absl::Status& status,
                          const std::vector<std::string>& words) {
    ASSERT_FALSE(status.ok());
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
    for (const std::string& word : words) {
      EXPECT_TRUE(absl::StrContains(status.message(), word))
          << word << " in: " << status;
    }
  }

  testing::ScratchDir dir_;
  const std::string prefix_;
};

TEST_F(ModelFileTest, EveryNameOfACheckpointIsItsPrefix) {
  WriteConfig(SmallConfig());
  WriteGraph(4);
  for (const std::string& path :
       {prefix_, prefix_ + ".index", prefix_ + ".meta",
        prefix_ + ".data-00000-of-00001", dir_.Path("run/train/checkpoint"),
        dir_.Path("run/train"), dir_.Path("run")}) {
    const auto file = ReadCheckpointModel(path);
    ASSERT_TRUE(file.ok()) << path << ": " << file.status();
    EXPECT_EQ(file->path, prefix_);
    EXPECT_TRUE(file->run.has_value()) << path;
    EXPECT_FALSE(file->metagraph.empty()) << path;
  }
}

TEST_F(ModelFileTest, TheGraphBesideACheckpointTellsTheWindow) {
  WriteGraph(4);
  const auto config = Resolve({.config = "attention_rnn"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->hparams.attn_length, 4);
  ExpectError(Resolve({.config = "attention_rnn", .hparams = "attn_length=30"})
                  .status(),
              {"`hparams`", "attn_length=30", "attn_length=4", prefix_});
  // Beside a stored configuration they must agree.
  ModelConfig other = SmallConfig();
  other.hparams.attn_length = 5;
  WriteConfig(other);
  ExpectError(Resolve({}).status(), {"continuo.json", "attn_length=5",
                                     prefix_ + ".meta", "attn_length=4"});
}

TEST_F(ModelFileTest, AWindowThatNothingTellsIsTheConfigurations) {
  ASSERT_TRUE(WriteFileAtomically(prefix_ + ".meta", "of a training").ok());
  const auto config = Resolve({.config = "attention_rnn"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->hparams.attn_length, 40);
  EXPECT_EQ(Resolve({.config = "attention_rnn", .hparams = "attn_length=9"})
                ->hparams.attn_length,
            9);
}

TEST_F(ModelFileTest, AWrongConfigurationIsNamedAsTheCause) {
  ExpectError(Resolve({.config = "basic_rnn"}).status(),
              {"`config`=basic_rnn", "38 inputs", "74 inputs",
               "`config`=attention_rnn"});
  ExpectError(Resolve({}).status(), {prefix_, "`config`=attention_rnn"});
  // Attention in a network of a configuration without it.
  ModelConfig config = *FindConfig(Family::kMelody, "basic_rnn");
  config.hparams = SmallConfig().hparams;
  ASSERT_TRUE(WriteCheckpointV2(prefix_, TensorsOf(config)).ok());
  ExpectError(Resolve({.config = "basic_rnn"}).status(), {"attn_length=N"});
}

TEST_F(ModelFileTest, StoredFieldsAndTensorsMustBelongTogether) {
  // In 40 kB of tensors.
  ModelConfig config = SmallConfig();
  config.hparams.rnn_layer_sizes = {16384};
  WriteConfig(config);
  ExpectError(Resolve({}).status(),
              {dir_.Path("run/train/continuo.json"), "rnn_layer_sizes=[16384]",
               "rnn_layer_sizes=[8,6]"});
  config = SmallConfig();
  config.encoding = FindConfig(Family::kMelody, "basic_rnn")->encoding;
  WriteConfig(config);
  ExpectError(Resolve({}).status(), {"continuo.json", "encoding"});
  config = SmallConfig();
  config.hparams.attn_length = 0;
  WriteConfig(config);
  ExpectError(Resolve({}).status(), {"continuo.json", "attn_length=0"});
  // A bias of one size and a kernel of another.
  TensorMap tensors = TensorsOf(SmallConfig());
  HostTensor& bias = tensors["rnn/multi_rnn_cell/cell_1/basic_lstm_cell/bias"];
  bias.shape = {65536};
  bias.floats.resize(65536);
  ASSERT_TRUE(WriteCheckpointV2(prefix_, tensors).ok());
  config.hparams.attn_length = 4;
  config.hparams.rnn_layer_sizes = {8, 16384};
  WriteConfig(config);
  ExpectError(Resolve({}).status(), {prefix_, "cell_1"});
}

TEST_F(ModelFileTest, AnotherTrainingTakesTheNetworkAndItsConfiguration) {
  WriteConfig(SmallConfig());
  const std::string safetensors = dir_.Path("m.safetensors");
  ASSERT_TRUE(WriteFileAtomically(
                  safetensors,
                  SerializeSafetensors(
                      {.tensors = TensorsOf(SmallConfig()),
                       .metadata = {{kSafetensorsRunConfig,
                                     RunConfigToJson({.model = SmallConfig(),
                                                      .seed = 1,
                                                      .version = "1"})}}}))
                  .ok());
  for (const auto& file :
       {ReadCheckpointModel(dir_.Path("run")), ReadCheckpointModel(safetensors),
        ReadBundleModel(WriteSmallBundle())}) {
    ASSERT_TRUE(file.ok()) << file.status();
    const auto config = Resolve(file, {}, Agreement::kSameNetwork);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->name, "attention_rnn");
    EXPECT_EQ(config->hparams.rnn_layer_sizes, (std::vector<int>{8, 6}));
    EXPECT_EQ(config->hparams.attn_length, 4);
    // Bundles do not tell it.
    EXPECT_EQ(config->hparams.learning_rate, file->is_bundle ? 0.001 : 0.02);
    EXPECT_TRUE(Resolve(file, {.hparams = "learning_rate=1,batch_size=2"},
                        Agreement::kSameNetwork)
                    .ok());
    ExpectError(
        Resolve(file, {.hparams = "rnn_layer_sizes=[128,128],attn_length=40"},
                Agreement::kSameNetwork)
            .status(),
        {"`hparams`", "rnn_layer_sizes=[128,128],attn_length=40",
         "rnn_layer_sizes=[8,6],attn_length=4", file->path});
    ExpectError(Resolve(file, {.config = "basic_rnn"}, Agreement::kSameNetwork)
                    .status(),
                {"`config`=basic_rnn", "`config`=attention_rnn", file->path});
  }
  ExpectError(ConfigOfModel(*ReadBundleModel(dir_.Path("m.mag")),
                            Family::kDrums, {}, Agreement::kSameModel)
                  .status(),
              {"melody_rnn_generate", "m.mag"});
}

TEST_F(ModelFileTest, ConfigurationsThatShareANetworkMayBeExchanged) {
  ModelConfig plain =
      *FindConfig(Family::kPerformance, "performance_with_dynamics");
  plain.hparams.rnn_layer_sizes = {5};
  ModelFile file;
  file.path = "m.mag";
  file.is_bundle = true;
  file.generator_id = plain.id;
  file.tensors = TensorsOf(plain);
  const StatedModel compact = {.config = "performance_with_dynamics_compact"};
  const auto config = ConfigOfModel(file, Family::kPerformance, compact,
                                    Agreement::kSameNetwork);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "performance_with_dynamics_compact");
  EXPECT_EQ(config->hparams.rnn_layer_sizes, std::vector<int>{5});
}

TEST_F(ModelFileTest, FirstEventsComeWithABundleAndAreChecked) {
  const std::string path = WriteSmallBundle();
  EXPECT_EQ(Resolve(ReadBundleModel(path), {})->first_events,
            (FirstEvents{{-2, 3}, {60, 12}}));
  for (const auto& [event, count] :
       {std::pair<int64_t, int64_t>(84, 1), {-3, 1}, {60, 0}, {60, -5}}) {
    Bundle bundle = *ReadBundle(path);
    bundle.first_events = {{event, count}};
    ASSERT_TRUE(WriteBundle(dir_.Path("bad.mag"), bundle).ok());
    ExpectError(Resolve(ReadBundleModel(dir_.Path("bad.mag")), {}).status(),
                {"bad.mag", "first_events", absl::StrCat(event)});
  }
}

TEST_F(ModelFileTest, KnowsANetworkThatHasLearnedNothing) {
  TensorMap tensors = TensorsOf(SmallConfig());
  EXPECT_FALSE(IsUntrained(tensors));
  tensors["global_step"] = {
      .dtype = DType::kInt64, .shape = {}, .floats = {}, .ints = {0}};
  // Weights of another training.
  EXPECT_FALSE(IsUntrained(tensors));
  for (auto& [name, tensor] : tensors) {
    if (absl::StrContains(name, "bias")) {
      tensor.floats.assign(tensor.floats.size(), 0);
    }
  }
  EXPECT_TRUE(IsUntrained(tensors));
  tensors["global_step"].ints[0] = 1;
  EXPECT_FALSE(IsUntrained(tensors));
}

// The bias of a GRU's gates begins at 1.
TEST_F(ModelFileTest, KnowsAGruThatHasLearnedNothing) {
  ModelConfig config = SmallConfig();
  config.hparams.attn_length = 0;
  config.hparams.cell = Cell::kGru;
  const NetworkSpec spec = SpecOf(config);
  std::vector<float> flat(FlatSize(NetworkParameters(spec)));
  InitializeParameters(NetworkParameters(spec), 1, absl::MakeSpan(flat));
  TensorMap tensors;
  AddFlatToTensors(NetworkParameters(spec), "", flat, &tensors);
  tensors["global_step"] = {
      .dtype = DType::kInt64, .shape = {}, .floats = {}, .ints = {0}};
  EXPECT_TRUE(IsUntrained(tensors));
  tensors["rnn/multi_rnn_cell/cell_1/gru_cell/gates/bias"].floats[0] = 0.99f;
  EXPECT_FALSE(IsUntrained(tensors));
}

}  // namespace
}  // namespace continuo
