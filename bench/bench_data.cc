// SPDX-License-Identifier: Apache-2.0

// Reading training data: both forms of every configuration.
//
//   bench_data --benchmark_min_time=0.2
//
// Counters: bytes of a file per example, and rows read per second by one
// thread.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "data/events/compact_example.h"
#include "data/events/dataset/record_maker.h"
#include "data/records/example.h"
#include "data/records/tfrecord.h"
#include "runtime/base/log.h"
#include "tests/testing/family_music.h"

namespace continuo {
namespace {

constexpr int kPieces = 8;

void BM_ReadExample(benchmark::State& state, const ModelConfig& config,
                    DatasetFormat format) {
  const RecordMaker maker(config.encoding, format);
  std::vector<std::string> records;
  int64_t rows = 0;
  int64_t bytes = 0;
  for (int number = 0; number < kPieces; ++number) {
    auto music = testing::MakeMusic(config.family, number);
    Statistics statistics;
    PipelineOutput output;
    CONTINUO_CHECK(
        testing::MakePipeline(config)
            ->Run(DatasetPart::kTraining, &music, &statistics, &output)
            .ok());
    for (const EncodedSequence& example : output.examples) {
      records.push_back(*maker.Make(example));
      rows += example.inputs.rows();
      bytes += static_cast<int64_t>(records.back().size()) + kTfRecordOverhead;
    }
  }
  const ExampleFormat read = MakeExampleFormat(config.encoding, config.name);
  EncodedSequence example;
  for (auto _ : state) {
    for (const std::string& record : records) {
      CONTINUO_CHECK(ParseExample(record, read, "", &example).ok());
      benchmark::DoNotOptimize(example.inputs.value.data());
    }
  }
  const auto count = static_cast<double>(records.size());
  state.counters["bytes/example"] = static_cast<double>(bytes) / count;
  state.counters["rows/example"] = static_cast<double>(rows) / count;
  state.counters["rows/s"] = benchmark::Counter(
      static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  for (const continuo::ModelConfig& config : continuo::testing::AllConfigs()) {
    for (const auto& [format, name] :
         {std::pair(continuo::DatasetFormat::kMagenta, "magenta"),
          std::pair(continuo::DatasetFormat::kCompact, "compact")}) {
      benchmark::RegisterBenchmark(absl::StrCat(config.name, "/", name).c_str(),
                                   continuo::BM_ReadExample, config, format);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
