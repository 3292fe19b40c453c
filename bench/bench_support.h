// What the benchmarks of the compute core share.

#ifndef CONTINUO_BENCH_BENCH_SUPPORT_H_
#define CONTINUO_BENCH_BENCH_SUPPORT_H_

#include <cstdint>
#include <vector>

#include "kernels/schedule.h"
#include "runtime/arena.h"
#include "runtime/device.h"

namespace continuo::bench {

// Reads the flags: --threads=N (default 2), --simd=NAME (one of Highway's
// target names; default: the best of this CPU) and those of Google Benchmark.
// Any other ends the program with status 1.
void Initialize(int* argc, char** argv);
int NumThreads();

// CPU time of the process, all threads together.
double CpuSeconds();

// `size` numbers in (-0.5, 0.5).
std::vector<float> UniformArray(int64_t size);

// Lengths of a batch of the published melody configurations as the speed
// targets state it: 128 sequences, lengths uniform in 128..512.
std::vector<int> BatchLengths();

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_BENCH_SUPPORT_H_
