// SPDX-License-Identifier: Apache-2.0

// The collective of a process that works alone.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_ONE_PROCESS_H_
#define CONTINUO_RUNTIME_COLLECTIVE_ONE_PROCESS_H_

#include <memory>

#include "runtime/collective/collective.h"

namespace continuo {

std::unique_ptr<Collective> MakeOneProcess();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_ONE_PROCESS_H_
