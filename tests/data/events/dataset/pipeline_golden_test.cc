// SPDX-License-Identifier: Apache-2.0

// The dataset pipelines from records to files, against the `pipelines` golden
// data.

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/events/dataset/dataset_builder.h"
#include "data/events/dataset/drums_pipeline.h"
#include "data/events/dataset/melody_pipeline.h"
#include "data/events/dataset/performance_pipeline.h"
#include "data/proto/example.pb.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/sha256.h"

namespace continuo {
namespace {

using nlohmann::json;
using testing::GoldenDir;
using testing::JsonNumber;
using testing::MustReadJson;

constexpr Family kFamilies[] = {Family::kMelody, Family::kDrums,
                                Family::kPerformance};

// The folder of a family, or a path below it.
std::string FamilyDir(Family family, absl::string_view below = "") {
  return GoldenDir(absl::StrCat("pipelines/", FamilyName(family),
                                below.empty() ? "" : "/", below));
}

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
      const auto& values = feature.int64_list().value();
      example.labels.insert(example.labels.end(), values.begin(), values.end());
    }
    example.length = lists.at("inputs").feature_size();
    examples.push_back(std::move(example));
  }
}

template <typename T>
std::string Hash(const std::vector<T>& values) {
  // The machines this runs on are little-endian, like the golden bytes.
  return testing::Sha256(absl::string_view(
      reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

std::unique_ptr<DatasetPipeline> PipelineOf(Family family,
                                            const std::string& name) {
  const bool transposed = absl::StartsWith(name, "transposed_");
  const auto config = FindConfig(family, transposed ? name.substr(11) : name);
  EXPECT_TRUE(config.ok()) << config.status();
  if (family == Family::kDrums) {
    return MakeDrumsPipeline({.encoding = config->encoding,
                              .steps_per_quarter = config->steps_per_quarter});
  }
  if (family == Family::kPerformance) {
    return MakePerformancePipeline({.encoding = config->encoding});
  }
  MelodyPipelineOptions options = {.encoding = config->encoding};
  if (transposed) options.transpositions = {-2, 0, 3};
  return MakeMelodyPipeline(options);
}

class PipelineGoldenTest : public ::testing::Test {
 protected:
  // False, as a failure in the repository's own data, if the family is absent.
  static bool HasInput(Family family) {
    if (!testing::ListFiles(FamilyDir(family), "input.tfrecord").empty()) {
      return true;
    }
    EXPECT_TRUE(testing::GoldenDirIsForeign())
        << FamilyDir(family) << " has no input.tfrecord";
    return false;
  }

  // Runs `pipeline` over the golden input into the scratch folder.
  absl::Status Build(Family family, const DatasetPipeline& pipeline,
                     double eval_ratio, std::function<double(int64_t)> draw,
                     int num_threads) {
    DatasetOptions options;
    options.inputs = {FamilyDir(family, "input.tfrecord")};
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
  void CheckInputs(const DatasetPipeline& pipeline, const json& inputs) {
    const std::string name = absl::StrCat("_", pipeline.outputs_name());
    const std::vector<json> report = Report();
    ASSERT_EQ(report.size(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      SCOPED_TRACE(inputs[i].dump());
      EXPECT_EQ(report[i]["index"], i);
      EXPECT_EQ(report[i]["id"], inputs[i]["id"]);
      const std::string set = report[i]["set"];
      const json& outputs = inputs[i]["outputs"];
      EXPECT_EQ(report[i]["examples"], outputs[set + name]);
      const std::string other = set == "eval" ? "training" : "eval";
      EXPECT_EQ(outputs[other + name], 0);
      // Whatever gives nothing says why.
      EXPECT_TRUE(report[i]["examples"] > 0 || !report[i]["discarded"].empty());
    }
  }

  testing::ScratchDir scratch_;
  DatasetSummary summary_;
};

// `exact`: inputs are equal to the last bit; else they agree to 1e-6, which
// only the records that are kept can show.
void CheckFile(const std::string& own, const std::string& golden_path,
               const json& golden, bool exact) {
  const std::vector<Example> examples = ReadExamples(own);
  const json& all = golden["all_records"];
  ASSERT_EQ(examples.size(), all.size());
  for (size_t i = 0; i < examples.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(examples[i].length, all[i]["length"]);
    EXPECT_EQ(Hash(examples[i].labels),
              all[i]["labels_sha256"].get<std::string>());
    if (exact) {
      EXPECT_EQ(Hash(examples[i].inputs),
                all[i]["inputs_sha256"].get<std::string>());
    }
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
    const std::vector<float>& inputs = examples[kept[i]].inputs;
    ASSERT_EQ(inputs.size(), stored[i].inputs.size());
    for (size_t j = 0; j < inputs.size(); ++j) {
      ASSERT_NEAR(inputs[j], stored[i].inputs[j], exact ? 0 : 1e-6) << j;
    }
    EXPECT_EQ(examples[kept[i]].labels, stored[i].labels);
  }
}

// The quantizer's failure counters of Magenta count a failure again on every
// later call; here each counts once, so theirs is at least as large.
bool IsRecounted(const std::string& name) {
  return absl::StrContains(name, "_Quantizer_");
}

TEST_F(PipelineGoldenTest, FilesAndStatistics) {
  int configs = 0;
  std::vector<std::pair<Family, std::string>> names;
  for (Family family : kFamilies) {
    if (!HasInput(family)) continue;
    for (const std::string& name : testing::ListFolders(FamilyDir(family))) {
      names.emplace_back(family, name);
    }
  }
  if (names.empty() && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no pipelines";
  }
  for (const auto& [family, name] : names) {
    SCOPED_TRACE(name);
    const std::string dir = FamilyDir(family, name);
    const json golden = MustReadJson(dir + "/pipeline.json");
    const auto pipeline = PipelineOf(family, name);
    const bool exact = !absl::StrContains(name, "pitch") &&
                       !absl::StrContains(name, "multi") &&
                       !absl::StrContains(name, "modulo");
    const auto no_eval = [](int64_t) { return 0.5; };
    ASSERT_TRUE(Build(family, *pipeline, 0, no_eval, 2).ok());
    CheckInputs(*pipeline, golden["inputs"]);
    for (const auto& [file, records] : golden["files"].items()) {
      SCOPED_TRACE(file);
      CheckFile(scratch_.Path("out/" + file), dir + "/" + file, records, exact);
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

TEST_F(PipelineGoldenTest, EvalRatioWithMagentasDraws) {
  if (!HasInput(Family::kMelody)) GTEST_SKIP() << "no melody_rnn";
  int files = 0;
  const std::string dir = FamilyDir(Family::kMelody);
  for (const std::string& file : testing::ListFiles(dir, ".json")) {
    if (!absl::StartsWith(file, "eval_ratio_")) continue;
    SCOPED_TRACE(file);
    const json golden = MustReadJson(dir + "/" + file);
    std::vector<double> draws;
    for (const json& draw : golden["draws"]) draws.push_back(JsonNumber(draw));
    const auto pipeline = PipelineOf(Family::kMelody, "basic_rnn");
    ASSERT_TRUE(Build(
                    Family::kMelody, *pipeline,
                    JsonNumber(golden["eval_ratio"]),
                    [&](int64_t index) { return draws[index]; }, 2)
                    .ok());
    CheckInputs(*pipeline, golden["inputs"]);
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace continuo
