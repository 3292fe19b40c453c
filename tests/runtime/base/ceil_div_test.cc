// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/ceil_div.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(CeilDivTest, CoversTheCount) {
  for (int64_t count : {0, 1, 2, 3, 127, 128, 129}) {
    for (int64_t each : {1, 2, 3, 64, 128}) {
      const int64_t parts = CeilDiv(count, each);
      EXPECT_GE(parts * each, count);
      EXPECT_LT((parts - 1) * each, count) << count << " by " << each;
    }
  }
  static_assert(CeilDiv(int64_t{1} << 40, 3) == 366503875926);
}

}  // namespace
}  // namespace continuo
