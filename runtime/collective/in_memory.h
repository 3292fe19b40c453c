// SPDX-License-Identifier: Apache-2.0

// Ranks that are threads of one process, for tests and simulations of many.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_IN_MEMORY_H_
#define CONTINUO_RUNTIME_COLLECTIVE_IN_MEMORY_H_

#include <memory>
#include <vector>

#include "runtime/collective/collective.h"

namespace continuo {

// One for each rank, to be used by a thread each; arrays are in host memory.
// Sums are made from rank 0 on. A rank that is destroyed while others wait for
// it fails their calls at once. Calls that are not the same on all ranks are
// InvalidArgument on all.
std::vector<std::unique_ptr<Collective>> MakeInMemory(
    int size, const CollectiveOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_IN_MEMORY_H_
