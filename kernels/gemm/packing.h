// SPDX-License-Identifier: Apache-2.0

// The layout of packed matrices on the CPU (contract in kernels/gemm/gemm.h).

#ifndef CONTINUO_KERNELS_GEMM_PACKING_H_
#define CONTINUO_KERNELS_GEMM_PACKING_H_

#include <cstdint>

#include "runtime/base/ceil_div.h"

// Targets whose vectors have no size at compile time cannot be kept in the
// arrays of a register tile; those CPUs run the narrower fixed-size target.
// SSSE3 adds nothing over the plain target that would repay its object code.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)

namespace continuo::cpu {

// Columns of a panel: two vectors of the widest instruction set, one of which
// narrower sets take a part of at a time, so that the layout is the same for
// all.
inline constexpr int kPanel = 32;

inline int64_t PanelCount(int64_t n) { return CeilDiv(n, kPanel); }

}  // namespace continuo::cpu

#endif  // CONTINUO_KERNELS_GEMM_PACKING_H_
