// The dataset pipeline of melodies from records to files, against the
// `pipelines/melody_rnn` golden data.

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/events/dataset_builder.h"
#include "data/events/melody_pipeline.h"
#include "data/proto/example.pb.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "models/config.h"
#include "tests/data/events/sha256.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using nlohmann::json;
using testing::GoldenDir;
using testing::JsonNumber;
using testing::MustReadJson;

constexpr char kFamily[] = "pipelines/melody_rnn";

// A SequenceExample as flat arrays, as the golden hashes have it.
struct Example {
  std::vector<float> inputs;
  std::vector<int64_t> labels;
  int64_t length = 0;
};

std::vector<Example> ReadExamples(const std::string& path) {
  std::vector<Example> examples;
  auto reader = TfRecordReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status();
  if (!reader.ok()) return examples;
  for (;;) {
    const auto record = (*reader)->Next();
    if (absl::IsOutOfRange(record.status())) return examples;
    tensorflow::SequenceExample proto;
    EXPECT_TRUE(
        record.ok() &&
        proto.ParseFromArray(record->data(), static_cast<int>(record->size())))
        << path;
    EXPECT_FALSE(proto.has_context());
    const auto& lists = proto.feature_lists().feature_list();
    EXPECT_EQ(lists.size(), 2u);
    Example example;
    for (const auto& feature : lists.at("inputs").feature()) {
      const auto& values = feature.float_list().value();
      example.inputs.insert(example.inputs.end(), values.begin(), values.end());
    }
    for (const auto& feature : lists.at("labels").feature()) {
      EXPECT_EQ(feature.int64_list().value_size(), 1);
      example.labels.push_back(feature.int64_list().value(0));
    }
    example.length = lists.at("inputs").feature_size();
    examples.push_back(std::move(example));
  }
}

template <typename T>
std::string Hash(const std::vector<T>& values) {
  // The machines this runs on are little-endian, like the golden bytes.
  return testing::Sha256Hex(absl::string_view(
      reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

std::unique_ptr<DatasetPipeline> PipelineOf(const std::string& name) {
  const bool transposed = absl::StartsWith(name, "transposed_");
  const auto config =
      FindConfig(Family::kMelody, transposed ? name.substr(11) : name);
  EXPECT_TRUE(config.ok()) << config.status();
  MelodyPipelineOptions options = {.encoding = config->encoding};
  if (transposed) options.transpositions = {-2, 0, 3};
  return MakeMelodyPipeline(options);
}

class PipelineGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::ListFiles(GoldenDir(kFamily), "input.tfrecord").empty()) {
      return;
    }
    if (testing::GoldenDirIsForeign()) GTEST_SKIP() << "no " << kFamily;
    FAIL() << GoldenDir(kFamily) << " has no input.tfrecord";
  }

  // Runs `pipeline` over the golden input into the scratch folder.
  absl::Status Build(const DatasetPipeline& pipeline, double eval_ratio,
                     std::function<double(int64_t)> draw, int num_threads) {
    DatasetOptions options;
    options.inputs = {GoldenDir(kFamily) + "/input.tfrecord"};
    options.output_dir = scratch_.Path("out");
    options.eval_ratio = eval_ratio;
    options.draw = std::move(draw);
    options.report = scratch_.Path("report.jsonl");
    ThreadPool pool(num_threads);
    summary_ = DatasetSummary();
    return BuildDataset(pipeline, options, &pool, &summary_);
  }

  std::vector<json> Report() {
    std::vector<json> lines;
    for (absl::string_view line :
         absl::StrSplit(testing::MustRead(scratch_.Path("report.jsonl")), '\n',
                        absl::SkipEmpty())) {
      lines.push_back(json::parse(line, nullptr, false));
      EXPECT_FALSE(lines.back().is_discarded()) << line;
    }
    return lines;
  }

  // The report agrees with the outputs per input that the golden data list.
  void CheckInputs(const json& inputs) {
    const std::vector<json> report = Report();
    ASSERT_EQ(report.size(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      SCOPED_TRACE(inputs[i].dump());
      EXPECT_EQ(report[i]["index"], i);
      EXPECT_EQ(report[i]["id"], inputs[i]["id"]);
      const std::string set = report[i]["set"];
      const json& outputs = inputs[i]["outputs"];
      EXPECT_EQ(report[i]["examples"], outputs[set + "_melodies"]);
      const std::string other = set == "eval" ? "training" : "eval";
      EXPECT_EQ(outputs[other + "_melodies"], 0);
      // Whatever gives nothing says why.
      EXPECT_TRUE(report[i]["examples"] > 0 || !report[i]["discarded"].empty());
    }
  }

  testing::ScratchDir scratch_;
  DatasetSummary summary_;
};

void CheckFile(const std::string& own, const std::string& golden_path,
               const json& golden) {
  const std::vector<Example> examples = ReadExamples(own);
  const json& all = golden["all_records"];
  ASSERT_EQ(examples.size(), all.size());
  for (size_t i = 0; i < examples.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(examples[i].length, all[i]["length"]);
    EXPECT_EQ(Hash(examples[i].labels), all[i]["labels_sha256"]);
    EXPECT_EQ(Hash(examples[i].inputs), all[i]["inputs_sha256"]);
    const auto& head = all[i]["labels_head"];
    for (size_t j = 0; j < head.size(); ++j) {
      EXPECT_EQ(examples[i].labels[j], head[j]) << j;
    }
  }
  const json& kept = golden["records_kept"];
  if (kept.empty()) return;
  const std::vector<Example> stored = ReadExamples(golden_path);
  ASSERT_EQ(stored.size(), kept.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(examples[kept[i]].inputs, stored[i].inputs);
    EXPECT_EQ(examples[kept[i]].labels, stored[i].labels);
  }
}

// The quantizer's failure counters of the original count a failure again on
// every later call; here each counts once, so theirs is at least as large.
bool IsRecounted(const std::string& name) {
  return absl::StrContains(name, "_Quantizer_");
}

TEST_F(PipelineGoldenTest, FilesAndStatistics) {
  int configs = 0;
  for (const std::string& name : testing::ListFolders(GoldenDir(kFamily))) {
    SCOPED_TRACE(name);
    const std::string dir = GoldenDir(kFamily) + "/" + name;
    const json golden = MustReadJson(dir + "/pipeline.json");
    const auto pipeline = PipelineOf(name);
    const auto no_eval = [](int64_t) { return 0.5; };
    ASSERT_TRUE(Build(*pipeline, 0, no_eval, 2).ok());
    CheckInputs(golden["inputs"]);
    for (const auto& [file, records] : golden["files"].items()) {
      SCOPED_TRACE(file);
      CheckFile(scratch_.Path("out/" + file), dir + "/" + file, records);
    }
    const std::vector<std::string> lines = summary_.statistics.Lines();
    const json& statistics = golden["statistics"];
    ASSERT_EQ(lines.size(), statistics.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string stat = statistics[i]["name"];
      if (IsRecounted(stat)) {
        EXPECT_GE(statistics[i]["count"], summary_.statistics.count(stat));
        // One input has a bad time signature.
        EXPECT_EQ(lines[i], stat + ": 1");
        continue;
      }
      EXPECT_EQ(lines[i], statistics[i]["log_line"].get<std::string>());
    }
    ++configs;
  }
  EXPECT_GT(configs, 0);
}

TEST_F(PipelineGoldenTest, EvalRatioWithTheOriginalsDraws) {
  int files = 0;
  for (const std::string& file :
       testing::ListFiles(GoldenDir(kFamily), ".json")) {
    if (!absl::StartsWith(file, "eval_ratio_")) continue;
    SCOPED_TRACE(file);
    const json golden = MustReadJson(GoldenDir(kFamily) + "/" + file);
    std::vector<double> draws;
    for (const json& draw : golden["draws"]) draws.push_back(JsonNumber(draw));
    ASSERT_TRUE(Build(
                    *PipelineOf("basic_rnn"), JsonNumber(golden["eval_ratio"]),
                    [&](int64_t index) { return draws[index]; }, 2)
                    .ok());
    CheckInputs(golden["inputs"]);
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace continuo
