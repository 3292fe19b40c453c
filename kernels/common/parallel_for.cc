// SPDX-License-Identifier: Apache-2.0

#include "kernels/common/parallel_for.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "runtime/base/log.h"

namespace continuo::cpu {
namespace {

// Flush-to-zero and denormals-are-zero while in scope, on the CPUs where it is
// a mode of the thread. (32-bit NEON always flushes.)
class ScopedFlushDenormals {
 public:
#if defined(__SSE__)
  ScopedFlushDenormals() : saved_(_mm_getcsr()) {
    constexpr unsigned kFlushToZero = 0x8000;
    constexpr unsigned kDenormalsAreZero = 0x0040;
    _mm_setcsr(saved_ | kFlushToZero | kDenormalsAreZero);
  }
  ~ScopedFlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  ScopedFlushDenormals() {
    constexpr uint64_t kFlushToZero = uint64_t{1} << 24;
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(saved_ | kFlushToZero));
  }
  ~ScopedFlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }

 private:
  uint64_t saved_;
#endif
};

}  // namespace

void ParallelFor(const Stream& stream, int64_t num_tasks,
                 absl::FunctionRef<void(int64_t, int)> fn) {
  CONTINUO_CHECK(stream.pool != nullptr);
  stream.pool->RunWithWorker(num_tasks, [&](int64_t task, int worker) {
    [[maybe_unused]] ScopedFlushDenormals flush;
    fn(task, worker);
  });
}

int NumWorkers(const Stream& stream) {
  CONTINUO_CHECK(stream.pool != nullptr);
  return stream.pool->num_threads();
}

}  // namespace continuo::cpu
