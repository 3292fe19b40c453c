// SPDX-License-Identifier: Apache-2.0

#include "bench/bench_support.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "benchmark/benchmark.h"
#include "kernels/gemm/packing.h"
// After packing.h, which says what targets there are.
#include "hwy/targets.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"

namespace continuo::bench {
namespace {

int num_threads = 2;

// Restricts the kernels to the instruction set called `name`.
bool SelectTarget(absl::string_view name) {
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name != hwy::TargetName(target)) continue;
    hwy::SetSupportedTargetsForTest(target);
    return true;
  }
  return false;
}

}  // namespace

void Initialize(int* argc, char** argv,
                absl::FunctionRef<bool(absl::string_view)> more,
                absl::string_view more_help) {
  benchmark::Initialize(argc, argv);
  for (int i = 1; i < *argc; ++i) {
    absl::string_view arg = argv[i];
    if (absl::ConsumePrefix(&arg, "--threads=") &&
        absl::SimpleAtoi(arg, &num_threads) && num_threads >= 1) {
      continue;
    }
    if (absl::ConsumePrefix(&arg, "--simd=") && SelectTarget(arg)) continue;
    if (more(argv[i])) continue;
    LogError(argv[i],
             ": unknown; use --threads=N, --simd=NAME (AVX3, AVX2, SSE4, "
             "SCALAR where the CPU has it), ",
             more_help, "or the flags of Google Benchmark (--help)");
    std::exit(1);
  }
}

int NumThreads() { return num_threads; }

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * now.tv_nsec;
}

std::vector<float> UniformArray(int64_t size) {
  std::vector<float> values(size);
  for (int64_t i = 0; i < size; ++i) {
    values[i] = static_cast<float>(
        RandomDouble(1, RandomPurpose::kShuffle, 7, i) - 0.5);
  }
  return values;
}

std::vector<int> BatchLengths() {
  std::vector<int> lengths;
  for (uint64_t i = 0; i < 128; ++i) {
    lengths.push_back(128 + static_cast<int>(RandomBelow(
                                2, RandomPurpose::kShuffle, 1, i, 385)));
  }
  return lengths;
}

std::vector<EncodedSequence> RandomSequences(const std::vector<int>& lengths,
                                             int inputs, int entries,
                                             int classes) {
  std::vector<EncodedSequence> sequences(lengths.size());
  uint64_t draw = 0;
  const auto below = [&](uint64_t bound) {
    return static_cast<int>(
        RandomBelow(2, RandomPurpose::kShuffle, 0, draw++, bound));
  };
  for (size_t i = 0; i < sequences.size(); ++i) {
    EncodedSequence& sequence = sequences[i];
    sequence.inputs.width = inputs;
    for (int t = 0; t < lengths[i]; ++t) {
      std::vector<int> columns;
      while (static_cast<int>(columns.size()) < entries) {
        const int column = below(inputs);
        if (std::find(columns.begin(), columns.end(), column) ==
            columns.end()) {
          columns.push_back(column);
        }
      }
      std::sort(columns.begin(), columns.end());
      for (int column : columns) sequence.inputs.Add(column, 1.0f);
      sequence.inputs.EndRow();
      sequence.labels.push_back(below(classes));
    }
  }
  return sequences;
}

}  // namespace continuo::bench
