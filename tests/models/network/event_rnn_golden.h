// SPDX-License-Identifier: Apache-2.0

// The network against Magenta, on any device: family `model` of the golden
// data, whose README gives the tolerances. Included by the tests that say which
// devices.

#ifndef CONTINUO_TESTS_MODELS_NETWORK_EVENT_RNN_GOLDEN_H_
#define CONTINUO_TESTS_MODELS_NETWORK_EVENT_RNN_GOLDEN_H_

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_decoder.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo::testing {

// One graph on one kind of device.
struct GoldenCase {
  std::string graph;
  std::string name;  // of the device
  DeviceType device;
  ComputeOptions options;
};

// One graph of the golden data.
struct Graph {
  std::string dir;
  nlohmann::json meta;
  NetworkSpec spec;
  bool index_input = false;

  NpyArray Load(const std::string& file) const {
    return MustReadNpy(absl::StrCat(dir, "/", file));
  }
  static std::string FileName(const std::string& variable) {
    return absl::StrCat(absl::StrReplaceAll(variable, {{"/", "__"}}), ".npy");
  }
};

inline Graph LoadGraph(const std::string& name) {
  Graph graph;
  graph.dir = GoldenDir(absl::StrCat("model/", name));
  graph.meta = MustReadJson(absl::StrCat(graph.dir, "/meta.json"));
  const nlohmann::json& hparams = graph.meta["hparams"];
  NetworkSpec& spec = graph.spec;
  graph.index_input = graph.meta["input_depth"].is_number();
  spec.input_size =
      graph.meta[graph.index_input ? "input_depth" : "input_size"].get<int>();
  if (graph.meta["num_classes"].is_array()) {
    spec.head_sizes = graph.meta["num_classes"].get<std::vector<int>>();
    spec.default_label =
        graph.meta["no_event_label"].get<std::vector<int64_t>>();
  } else {
    spec.head_sizes = {graph.meta["num_classes"].get<int>()};
    spec.default_label = {graph.meta["no_event_label"].get<int64_t>()};
  }
  spec.layer_sizes = hparams["rnn_layer_sizes"].get<std::vector<int>>();
  spec.attn_length = hparams["attn_length"].get<int>();
  spec.residual_connections = hparams["residual_connections"].get<bool>();
  return graph;
}

// Row `at` of a dense [.., width] array as a sparse row.
inline void AppendDense(const NpyArray& dense, int64_t at, const Graph& graph,
                        SparseRows* rows) {
  const int64_t width = dense.shape.back();
  rows->width = graph.spec.input_size;
  if (graph.index_input) {
    rows->Add(static_cast<int>(dense.floats[at]), 1.0f);
  } else {
    for (int64_t i = 0; i < width; ++i) {
      const float value = dense.floats[at * width + i];
      if (value != 0) rows->Add(static_cast<int>(i), value);
    }
  }
  rows->EndRow();
}

// The stored batch: row i has length lengths[i], its data being row
// order[i] of the arrays.
inline PackedBatch MakeBatch(const Graph& graph,
                             const std::vector<int64_t>& lengths,
                             const std::vector<int>& order) {
  const NpyArray inputs = graph.Load("inputs.npy");
  const NpyArray labels = graph.Load("labels.npy");
  const int heads = static_cast<int>(graph.spec.head_sizes.size());
  const int64_t steps = inputs.shape[1];
  std::vector<EncodedSequence> sequences(lengths.size());
  std::vector<const EncodedSequence*> pointers;
  for (size_t i = 0; i < lengths.size(); ++i) {
    for (int64_t t = 0; t < lengths[i]; ++t) {
      const int64_t at = order[i] * steps + t;
      AppendDense(inputs, at, graph, &sequences[i].inputs);
      for (int head = 0; head < heads; ++head) {
        sequences[i].labels.push_back(labels.ints[at * heads + head]);
      }
    }
    pointers.push_back(&sequences[i]);
  }
  return PackBatch(pointers, heads);
}

inline PackedBatch StoredBatch(const Graph& graph) {
  const std::vector<int64_t> lengths = graph.Load("lengths.npy").ints;
  std::vector<int> order(lengths.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  return MakeBatch(graph, lengths, order);
}

// The flat buffer of the tensors in a folder of the graph.
inline std::vector<float> LoadFlat(const Graph& graph,
                                   absl::Span<const Parameter> all,
                                   const std::string& folder) {
  std::vector<float> flat(FlatSize(all));
  for (const Parameter& parameter : all) {
    const NpyArray array =
        graph.Load(absl::StrCat(folder, "/", Graph::FileName(parameter.name)));
    EXPECT_EQ(array.num_elements(), parameter.size) << parameter.name;
    std::copy(array.floats.begin(), array.floats.end(),
              flat.begin() + parameter.offset);
  }
  return flat;
}

// A network with the graph's weights and its trainer.
struct Loaded {
  Loaded(const GoldenCase& golden, const Graph& graph, int threads)
      : pool(threads) {
    owned = *OwnedStream::Open({.type = golden.device}, golden.options, &pool);
    rnn = *EventRnn::Create(graph.spec, owned.stream());
    const auto weights = LoadFlat(graph, rnn->parameters(), "weights");
    EXPECT_TRUE(rnn->SetWeights(weights).ok());
    trainer = *EventRnnTrainer::Create(rnn.get(), 1, 1);
  }
  ThreadPool pool;
  OwnedStream owned;
  std::unique_ptr<EventRnn> rnn;
  std::unique_ptr<EventRnnTrainer> trainer;
};

inline double Relative(double value, double want) {
  return std::abs(value - want) / std::max(1e-30, std::abs(want));
}

// The value of a metric of Magenta from the sums.
inline double Metric(const std::string& name, const LossSums& sums) {
  const auto ratio = [](int64_t a, int64_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
  };
  const double loss = sums.cross_entropy / static_cast<double>(sums.labels);
  if (name == "loss") return loss;
  if (name == "metrics/perplexity") return std::exp(loss);
  if (name == "metrics/accuracy") return ratio(sums.correct, sums.labels);
  if (name == "metrics/event_accuracy") {
    return ratio(sums.event_correct, sums.event_labels);
  }
  if (name == "metrics/no_event_accuracy") {
    return ratio(sums.no_event_correct, sums.no_event_labels);
  }
  if (name == "metrics/per_class_accuracy") {
    double total = 0;
    for (size_t c = 0; c < sums.class_labels.size(); ++c) {
      if (sums.class_labels[c] == 0) continue;
      total += ratio(sums.class_correct[c], sums.class_labels[c]);
    }
    return total / static_cast<double>(sums.class_labels.size());
  }
  return std::nan("");  // per time step: needs the encoder, tested above this
}

inline void ExpectMetrics(const nlohmann::json& want, const LossSums& sums,
                          bool streaming) {
  int compared = 0;
  for (const auto& [name, value] : want.items()) {
    const double metric = Metric(name, sums);
    if (name.find("per_step") != std::string::npos) continue;
    ++compared;
    const double expected = JsonNumber(value);
    if (std::isnan(metric)) {
      // 0 / 0 is 0 in Magenta's streaming metrics.
      EXPECT_TRUE(streaming ? expected == 0 : std::isnan(expected)) << name;
    } else if (expected == 0) {
      EXPECT_EQ(metric, 0) << name;
    } else {
      EXPECT_LT(Relative(metric, expected), 1e-5) << name;
    }
  }
  EXPECT_GE(compared, 5);
}

class ModelGoldenTest : public ::testing::TestWithParam<GoldenCase> {
 protected:
  void SetUp() override {
    if (GetParam().device == DeviceType::kCpu) return;
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
  }
  Graph LoadGraph() const { return testing::LoadGraph(GetParam().graph); }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ModelGoldenTest);

TEST_P(ModelGoldenTest, ParametersAreMagentasVariables) {
  const Graph graph = LoadGraph();
  const std::vector<Parameter> parameters = NetworkParameters(graph.spec);
  const nlohmann::json& variables = graph.meta["variables"];
  ASSERT_EQ(parameters.size(), variables.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(parameters[i].name, variables[i]["name"].get<std::string>());
    Shape shape;
    for (int64_t dim : variables[i]["shape"]) shape.Append(dim);
    EXPECT_TRUE(parameters[i].shape == shape) << parameters[i].name;
  }
}

TEST_P(ModelGoldenTest, LogitsLossMetricsAndGradients) {
  const Graph graph = LoadGraph();
  Loaded loaded(GetParam(), graph, 2);
  const PackedBatch batch = StoredBatch(graph);
  LossSums sums;
  ASSERT_TRUE(loaded.trainer->ComputeGradients(batch, {}, &sums).ok());
  ExpectMetrics(graph.meta["metrics_before"], sums, /*streaming=*/false);

  const NpyArray want = graph.Load("logits.npy");
  const int64_t classes = graph.spec.num_classes();
  std::vector<float> logits;
  ASSERT_TRUE(loaded.trainer->GetLogits(&logits).ok());
  ASSERT_EQ(static_cast<int64_t>(logits.size()), want.num_elements());
  const std::vector<int64_t> lengths = graph.Load("lengths.npy").ints;
  std::vector<int64_t> begin = {0};
  for (int64_t length : lengths) begin.push_back(begin.back() + length);
  double worst = 0;
  for (int t = 0; t < batch.num_steps(); ++t) {
    for (int row = 0; row < batch.batch_sizes[t]; ++row) {
      const int64_t from = (batch.step_begin[t] + row) * classes;
      const int64_t to = (begin[batch.source[row]] + t) * classes;
      for (int64_t c = 0; c < classes; ++c) {
        worst = std::max<double>(
            worst, std::abs(logits[from + c] - want.floats[to + c]));
      }
    }
  }
  EXPECT_LE(worst, 2e-5);

  std::vector<float> gradient(loaded.rnn->flat_size());
  ASSERT_TRUE(loaded.trainer->GetGradient(absl::MakeSpan(gradient)).ok());
  const auto want_gradient = LoadFlat(graph, loaded.rnn->parameters(), "grads");
  for (const Parameter& parameter : loaded.rnn->parameters()) {
    double largest = 0;
    double difference = 0;
    for (int64_t i = parameter.offset; i < parameter.offset + parameter.size;
         ++i) {
      largest = std::max<double>(largest, std::abs(want_gradient[i]));
      difference = std::max<double>(difference,
                                    std::abs(gradient[i] - want_gradient[i]));
    }
    EXPECT_LE(difference, 5e-5 * largest + 1e-8) << parameter.name;
  }
}

TEST_P(ModelGoldenTest, WeightsAfterAdamSteps) {
  const Graph graph = LoadGraph();
  Loaded loaded(GetParam(), graph, 2);
  const PackedBatch batch = StoredBatch(graph);
  const auto gradient = LoadFlat(graph, loaded.rnn->parameters(), "grads");
  const std::vector<double> losses =
      graph.meta["train_op_losses"].get<std::vector<double>>();
  AdamSpec adam = {
      .learning_rate = graph.meta["hparams"]["learning_rate"].get<double>(),
      .params = {.clip_norm =
                     graph.meta["hparams"]["clip_norm"].get<double>()}};
  const std::vector<std::string> folders = ListFolders(graph.dir);
  std::vector<float> weights(loaded.rnn->flat_size());
  for (size_t step = 1; step <= losses.size(); ++step) {
    LossSums sums;
    ASSERT_TRUE(loaded.trainer->ComputeGradients(batch, {}, &sums).ok());
    EXPECT_LT(Relative(Metric("loss", sums), losses[step - 1]), 1e-5)
        << "step " << step;
    adam.step = static_cast<int64_t>(step);
    double norm = 0;
    ASSERT_TRUE(loaded.trainer->ApplyGradients(adam, &norm).ok());
    if (step == 1) {
      double squares = 0;
      for (const auto& entry : graph.meta["gradients"]) {
        squares += std::pow(entry["norm"].get<double>(), 2);
      }
      EXPECT_LT(Relative(norm, std::sqrt(squares)), 1e-5);
    }
    const std::string folder = absl::StrCat("weights_after_", step);
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      continue;
    }
    const auto want = LoadFlat(graph, loaded.rnn->parameters(), folder);
    ASSERT_TRUE(loaded.rnn->GetWeights(absl::MakeSpan(weights)).ok());
    double worst = 0;
    int64_t compared = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      // Adam's first step has the same size however small the gradient.
      if (std::abs(gradient[i]) <= 1e-6) continue;
      ++compared;
      worst = std::max<double>(worst, std::abs(weights[i] - want[i]));
    }
    EXPECT_GT(compared, 100);
    EXPECT_LE(worst, step == 1 ? 2e-6 : 5e-6) << folder;
  }
}

TEST_P(ModelGoldenTest, StreamingEvaluation) {
  const Graph graph = LoadGraph();
  if (!graph.meta.contains("eval") ||
      !graph.meta["eval"].contains("after_each_batch")) {
    // Magenta cannot build the graph for several heads.
    EXPECT_GT(graph.spec.head_sizes.size(), 1u);
    return;
  }
  Loaded loaded(GetParam(), graph, 1);
  const std::vector<int64_t> lengths = graph.Load("lengths.npy").ints;
  const int rows = static_cast<int>(lengths.size());
  std::vector<int> order(rows), rolled(rows);
  std::vector<int64_t> rolled_lengths(rows), halves(rows);
  for (int i = 0; i < rows; ++i) {
    order[i] = i;
    rolled[i] = (i + rows - 1) % rows;
    rolled_lengths[i] = lengths[rolled[i]];
    halves[i] = std::max<int64_t>(1, lengths[i] / 2);
  }
  const std::vector<PackedBatch> batches = {
      MakeBatch(graph, lengths, order),
      MakeBatch(graph, rolled_lengths, rolled),
      MakeBatch(graph, halves, order)};
  LossSums sums;
  for (size_t i = 0; i < batches.size(); ++i) {
    ASSERT_TRUE(loaded.trainer->Evaluate(batches[i], {}, &sums).ok());
    ExpectMetrics(graph.meta["eval"]["after_each_batch"][i], sums,
                  /*streaming=*/true);
  }
}

// The softmax of each head of a row of logits.
inline std::vector<double> Softmax(const Graph& graph, const float* logits,
                                   double temperature) {
  std::vector<double> result;
  for (int size : graph.spec.head_sizes) {
    const float highest = *std::max_element(logits, logits + size);
    double sum = 0;
    const size_t begin = result.size();
    for (int i = 0; i < size; ++i) {
      result.push_back(std::exp((logits[i] - highest) / temperature));
      sum += result.back();
    }
    for (size_t i = begin; i < result.size(); ++i) result[i] /= sum;
    logits += size;
  }
  return result;
}

TEST_P(ModelGoldenTest, DecodingStepByStep) {
  const Graph graph = LoadGraph();
  Loaded loaded(GetParam(), graph, 2);
  const NpyArray inputs = graph.Load("generate/inputs.npy");
  const int rows = static_cast<int>(inputs.shape[0]);
  const int64_t steps = inputs.shape[1];
  const int64_t classes = graph.spec.num_classes();
  const NpyArray want[] = {graph.Load("generate/softmax_t1.npy"),
                           graph.Load("generate/softmax_t0.5.npy")};
  const double temperatures[] = {1.0, 0.5};
  auto decoder = *EventRnnDecoder::Create(loaded.rnn.get(), rows);
  ASSERT_TRUE(decoder->Reset(rows).ok());
  double worst = 0;
  int states_compared = 0;
  for (int64_t t = 0; t < steps; ++t) {
    SparseRows step;
    for (int row = 0; row < rows; ++row) {
      AppendDense(inputs, row * steps + t, graph, &step);
    }
    std::vector<float> logits(rows * classes);
    ASSERT_TRUE(decoder->Step(step, absl::MakeSpan(logits)).ok());
    for (int row = 0; row < rows; ++row) {
      for (int k = 0; k < 2; ++k) {
        const std::vector<double> softmax =
            Softmax(graph, logits.data() + row * classes, temperatures[k]);
        for (int64_t c = 0; c < classes; ++c) {
          worst = std::max(
              worst, std::abs(softmax[c] -
                              want[k].floats[(row * steps + t) * classes + c]));
        }
      }
    }
    const std::string folder = absl::StrCat("generate/state_after_", t + 1);
    const size_t tensors =
        ListFiles(absl::StrCat(graph.dir, "/", folder), ".npy").size();
    if (tensors == 0) continue;
    for (int row = 0; row < rows; ++row) {
      const auto state = *decoder->GetState(row);
      ASSERT_EQ(state.size(), tensors);
      for (size_t i = 0; i < tensors; ++i) {
        const NpyArray array = graph.Load(absl::StrCat(folder, "/", i, ".npy"));
        const int64_t size = static_cast<int64_t>(state[i].size());
        ASSERT_EQ(array.num_elements(), size * rows);
        for (int64_t k = 0; k < size; ++k) {
          worst = std::max<double>(
              worst, std::abs(state[i][k] - array.floats[row * size + k]));
        }
        ++states_compared;
      }
    }
  }
  EXPECT_LE(worst, 2e-5);
  EXPECT_GT(states_compared, 0);
}

// The graphs of the golden data, each on these devices.
inline std::vector<GoldenCase> GoldenCases(
    const std::vector<GoldenCase>& devices) {
  std::vector<GoldenCase> cases;
  for (const std::string& graph : ListFolders(GoldenDir("model"))) {
    for (GoldenCase device : devices) {
      device.graph = graph;
      cases.push_back(device);
    }
  }
  return cases;
}

inline void PrintTo(const GoldenCase& golden, std::ostream* out) {
  *out << golden.graph << " " << golden.name;
}
inline std::string GoldenCaseName(
    const ::testing::TestParamInfo<GoldenCase>& info) {
  return absl::StrCat(info.param.graph, "_", info.param.name);
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_MODELS_NETWORK_EVENT_RNN_GOLDEN_H_
