// SPDX-License-Identifier: Apache-2.0

// Data sets larger than memory: opening one with and without its index, and
// reading shuffled batches of it.
//
//   bench_shards                          256 MiB in 8 shards
//   CONTINUO_BENCH_GIB=4 TMPDIR=/data bench_shards
//
// Counters: peak_MiB, the most memory that the process had resident, files
// mapped included; bytes/s of records, as they are in files.

#include <time.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "data/records/batch_stream.h"
#include "data/records/dataset.h"
#include "data/records/shards.h"
#include "runtime/base/log.h"
#include "runtime/base/threads.h"
#include "tests/testing/examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

// The sizes of drum_kit.
constexpr int kWidth = 512;
constexpr int kSteps = 165;
constexpr int kShards = 8;
constexpr int kBatchSize = 128;

const ExampleFormat kFormat = {
    .input_size = kWidth, .head_sizes = {kWidth}, .config = "bench"};

// Begins a new measurement of the peak.
void ResetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double PeakMiB() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib / 1024;
  }
  return 0;
}

double Gibibytes() {
  const char* text = std::getenv("CONTINUO_BENCH_GIB");
  double gib = 0.25;
  CONTINUO_CHECK(text == nullptr || absl::SimpleAtod(text, &gib));
  return gib;
}

// Writes the shards and returns their name.
std::string MakeShards(const testing::ScratchDir& dir) {
  std::vector<std::string> records;
  for (int i = 0; i < 61; ++i) {
    records.push_back(testing::PatternExample(i, kSteps + i, kWidth));
  }
  const double bytes = Gibibytes() * (int64_t{1} << 30);
  const auto count = static_cast<int64_t>(
      bytes / kShards / static_cast<double>(records[30].size()));
  size_t next = 0;
  for (const std::string& path : ShardNames(dir.Path("d"), kShards)) {
    auto writer = TfRecordWriter::Create(path);
    CONTINUO_CHECK(writer.ok());
    next += 7;  // no shard is like another
    for (int64_t i = 0; i < count; ++i) {
      CONTINUO_CHECK((*writer)->Append(records[next++ % records.size()]).ok());
    }
    CONTINUO_CHECK((*writer)->Commit().ok());
  }
  return absl::StrCat(dir.Path("d"), "@", kShards);
}

std::unique_ptr<Dataset> MustOpen(const std::string& spec, ThreadPool* pool,
                                  int64_t min_kept_bytes) {
  auto dataset =
      Dataset::Open(spec, kFormat, pool, {.min_kept_bytes = min_kept_bytes});
  CONTINUO_CHECK(dataset.ok());
  return *std::move(dataset);
}

void BM_Open(benchmark::State& state, const std::string& spec, bool scan) {
  ThreadPool pool(1);
  ResetPeak();
  for (auto _ : state) {
    const auto dataset = MustOpen(spec, &pool, scan ? -1 : 0);
    CONTINUO_CHECK(dataset->num_files_not_read() == (scan ? 0 : kShards));
  }
  state.counters["peak_MiB"] = PeakMiB();
}

void BM_Read(benchmark::State& state, const std::string& spec, int readers) {
  ThreadPool pool(1);
  const auto dataset = MustOpen(spec, &pool, 0);
  BatchStream stream(dataset.get(), kBatchSize, /*seed=*/1, {},
                     {.readers = readers});
  ResetPeak();
  int64_t bytes = 0;
  for (auto _ : state) {
    const auto batch = stream.Next();
    CONTINUO_CHECK(batch.ok());
    bytes += int64_t{batch->num_events()} * kWidth * 4;
  }
  state.counters["peak_MiB"] = PeakMiB();
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(bytes),
                                                 benchmark::Counter::kIsRate);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const continuo::testing::ScratchDir dir;
  const std::string spec = continuo::MakeShards(dir);
  // A file just written has no index yet.
  struct timespec pause = {3, 0};
  nanosleep(&pause, nullptr);
  {
    continuo::ThreadPool pool(1);
    continuo::MustOpen(spec, &pool, 0);
  }
  for (const auto& [name, scan] : {std::pair("scan", true), {"index", false}}) {
    benchmark::RegisterBenchmark(absl::StrCat("open/", name).c_str(),
                                 continuo::BM_Open, spec, scan)
        ->UseRealTime();
  }
  for (const int readers : {1, 2}) {
    benchmark::RegisterBenchmark(
        absl::StrCat("read/", readers, "_threads").c_str(), continuo::BM_Read,
        spec, readers)
        ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
