// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/malloc_tuning.h"

#include <cstdlib>

#include "gtest/gtest.h"
#include "tests/testing/child.h"
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace continuo {
namespace {

#if defined(__GLIBC__)
TEST(MallocTuningTest, LargeBlocksComeOutOfWhatIsKept) {
  const auto result = testing::RunChild([] {
    KeepFreedMemory();
    // Blocks that the system maps one by one are given back when freed.
    const size_t mapped = mallinfo2().hblks;
    // Volatile, for the compiler not to leave out what nobody uses.
    void* volatile const block = std::malloc(size_t{16} << 20);
    const size_t mapped_now = mallinfo2().hblks;
    std::free(block);
    return mapped_now == mapped ? 0 : 1;
  });
  EXPECT_EQ(result.code, 0);
}
#else
TEST(MallocTuningTest, DoesNothingElsewhere) { KeepFreedMemory(); }
#endif

}  // namespace
}  // namespace continuo
