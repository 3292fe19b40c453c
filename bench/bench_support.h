// SPDX-License-Identifier: Apache-2.0

// What the benchmarks of the compute core share.

#ifndef CONTINUO_BENCH_BENCH_SUPPORT_H_
#define CONTINUO_BENCH_BENCH_SUPPORT_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "data/records/batch.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"

namespace continuo::bench {

inline bool NoFlags(absl::string_view) { return false; }

// Reads the flags: --threads=N (default 2), --simd=NAME (one of Highway's
// target names; default: the best of this CPU), the caller's `more` and those
// of Google Benchmark. Any other ends the program with status 1.
// `more` takes one argument, and returns false if it is none of its flags.
void Initialize(int* argc, char** argv,
                absl::FunctionRef<bool(absl::string_view)> more = NoFlags,
                absl::string_view more_help = "");
int NumThreads();

// CPU time of the process, all threads together.
double CpuSeconds();

// `size` numbers in (-0.5, 0.5).
std::vector<float> UniformArray(int64_t size);

// Lengths of a batch of the published melody configurations as the speed
// targets state it: 128 sequences, lengths uniform in 128..512.
std::vector<int> BatchLengths();

// Sequences of these lengths whose rows set `entries` of `inputs` columns and
// whose labels are below `classes`, all at random.
std::vector<EncodedSequence> RandomSequences(const std::vector<int>& lengths,
                                             int inputs, int entries,
                                             int classes);

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_BENCH_SUPPORT_H_
