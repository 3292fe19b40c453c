// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/arena.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(ArenaTest, PlansThenHandsOutAlignedZeroedMemory) {
  Arena arena{Device()};
  TensorView a, b;
  for (int pass = 0; pass < 2; ++pass) {
    a = arena.Allocate<float>("activations", {3, 5});
    b = arena.Allocate<int64_t>("labels", {7});
    EXPECT_EQ(static_cast<bool>(a), pass == 1);
    if (pass == 0) {
      ASSERT_TRUE(arena.Commit().ok());
    }
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a.raw) % 256, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.raw) % 256, 0u);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(a.data<float>()[i], 0.0f);
  for (int i = 0; i < 15; ++i) a.data<float>()[i] = 1.0f;
  EXPECT_EQ(b.data<int64_t>()[0], 0);
}

TEST(ArenaTest, PlanNamesTheBytes) {
  Arena arena{Device()};
  arena.Allocate<float>("weights", {10});
  arena.Allocate<float>("weights", {20});
  arena.Allocate<double>("sums", {4});
  ASSERT_EQ(arena.plan().size(), 2u);
  EXPECT_EQ(arena.plan()[0].what, "weights");
  EXPECT_EQ(arena.plan()[0].bytes, 120);
  EXPECT_EQ(arena.plan()[1].bytes, 32);
  EXPECT_EQ(arena.size(), 256 + 256 + 256);
}

TEST(ArenaTest, PlanHasOneLineANameWhateverComesBetween) {
  Arena arena{Device()};
  arena.Allocate<float>("layer 0", {10});
  arena.Allocate<float>("attention", {20});
  arena.Allocate<float>("layer 0", {30});
  ASSERT_EQ(arena.plan().size(), 2u);
  EXPECT_EQ(arena.plan()[0].what, "layer 0");
  EXPECT_EQ(arena.plan()[0].bytes, 160);
}

TEST(ArenaTest, RewoundMemoryIsUsedAgain) {
  Arena arena{Device()};
  TensorView first, second;
  for (int pass = 0; pass < 2; ++pass) {
    const int64_t mark = arena.Mark();
    first = arena.Allocate<float>("scratch of one", {100});
    arena.Rewind(mark);
    second = arena.Allocate<float>("scratch of two", {50});
    if (pass == 0) {
      ASSERT_TRUE(arena.Commit().ok());
    }
  }
  EXPECT_EQ(first.raw, second.raw);
  EXPECT_EQ(arena.size(), 512);
}

TEST(ArenaTest, MoreThanTheAddressSpaceIsAnError) {
  Arena arena{Device()};
  arena.Allocate<float>("everything", {int64_t{1} << 58});
  EXPECT_EQ(arena.Commit().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace continuo
