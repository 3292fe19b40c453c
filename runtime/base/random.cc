// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/random.h"

#include <random>

namespace continuo {

uint64_t RandomSeed() {
  std::random_device device;
  // 63 bits, so that the printed seed is also a valid --seed value.
  return ((uint64_t{device()} << 32) | device()) >> 1;
}

}  // namespace continuo
