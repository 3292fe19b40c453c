// SPDX-License-Identifier: Apache-2.0

// How many MIDI files per second are read, from memory, on one thread.
//
//   CONTINUO_DATA_DIR=FOLDER build/bin/bench_midi
//
// reads all *.mid files below the folder once per iteration; files that cannot
// be read count as read, as they do for other readers. Bound: files/s beside
// bytes/s, of which memory gives far more; the work is per event.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "benchmark/benchmark.h"
#include "data/notes/midi/midi_parser.h"
#include "data/notes/midi/midi_reader.h"
#include "google/protobuf/arena.h"
#include "runtime/base/malloc_tuning.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

struct Corpus {
  std::vector<std::string> files;
  int64_t bytes = 0;
  int64_t notes = 0;  // of the files that can be read
};

Corpus LoadCorpus() {
  Corpus corpus;
  const char* dir = std::getenv("CONTINUO_DATA_DIR");
  if (dir == nullptr) return corpus;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    const std::string name =
        absl::AsciiStrToLower(entry.path().filename().string());
    if (!absl::EndsWith(name, ".mid")) continue;
    auto bytes = ReadFile(entry.path().string());
    if (!bytes.ok()) continue;
    corpus.bytes += static_cast<int64_t>(bytes->size());
    if (const auto song = ParseMidi(*bytes); song.ok()) {
      corpus.notes += static_cast<int64_t>(song->notes.size());
    }
    corpus.files.push_back(*std::move(bytes));
  }
  return corpus;
}

const Corpus& TheCorpus() {
  static const Corpus& corpus = *new Corpus(LoadCorpus());
  return corpus;
}

template <typename Read>
void RunOverCorpus(benchmark::State& state, Read read) {
  const Corpus& corpus = TheCorpus();
  if (corpus.files.empty()) {
    state.SkipWithError("set CONTINUO_DATA_DIR to a folder with MIDI files");
    return;
  }
  for (auto _ : state) {
    for (const std::string& file : corpus.files) {
      auto result = read(file);
      benchmark::DoNotOptimize(result);
    }
  }
  const auto total = [&](int64_t count) {
    return benchmark::Counter(
        static_cast<double>(count) * static_cast<double>(state.iterations()),
        benchmark::Counter::kIsRate);
  };
  state.counters["files/s"] = total(static_cast<int64_t>(corpus.files.size()));
  state.counters["notes/s"] = total(corpus.notes);
  state.SetBytesProcessed(corpus.bytes * state.iterations());
}

// Events to notes in ticks, as symusic's Score("ticks") holds them.
void BM_ParseMidi(benchmark::State& state) {
  RunOverCorpus(state, [](const std::string& file) { return ParseMidi(file); });
}

// To NoteSequence messages with times in seconds, on the heap.
void BM_ReadMidi(benchmark::State& state) {
  RunOverCorpus(state, [](const std::string& file) { return ReadMidi(file); });
}

// The same on an arena, as the converter does.
void BM_ReadMidiOnArena(benchmark::State& state) {
  const size_t size = size_t{1} << 23;
  const std::unique_ptr<char[]> scratch(new char[size]);
  google::protobuf::ArenaOptions options;
  options.initial_block = scratch.get();
  options.initial_block_size = size;
  RunOverCorpus(state, [&](const std::string& file) {
    google::protobuf::Arena arena(options);
    return ReadMidi(file, google::protobuf::Arena::CreateMessage<
                              tensorflow::magenta::NoteSequence>(&arena));
  });
}

BENCHMARK(BM_ParseMidi)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReadMidi)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReadMidiOnArena)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  continuo::KeepFreedMemory();  // as the converter does
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
