// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/malloc_tuning.h"

#if defined(__linux__)
#include <malloc.h>
#endif

namespace continuo {

void KeepFreedMemory() {
#if defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  // Setting one stops the other from adapting, so set both; 32 MiB is the most
  // that glibc takes.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

}  // namespace continuo
