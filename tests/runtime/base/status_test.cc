// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/status.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"

namespace continuo {
namespace {

absl::StatusOr<std::unique_ptr<int>> Number(int value) {
  if (value < 0) return absl::OutOfRangeError("below 0");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> Sum(int a, int b) {
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Number(a));
  std::unique_ptr<int> second;
  CONTINUO_ASSIGN_OR_RETURN(second, Number(b));
  return *first + *second;
}

absl::Status CheckBoth(int a, int b, int* checked) {
  CONTINUO_RETURN_IF_ERROR(Number(a).status());
  ++*checked;
  CONTINUO_RETURN_IF_ERROR(Number(b).status());
  ++*checked;
  return absl::OkStatus();
}

TEST(StatusTest, AssignsOrReturnsTheError) {
  EXPECT_EQ(*Sum(2, 3), 5);
  EXPECT_EQ(Sum(-1, 3).status(), absl::OutOfRangeError("below 0"));
  EXPECT_EQ(Sum(2, -1).status(), absl::OutOfRangeError("below 0"));
}

TEST(StatusTest, ReturnsAtTheFirstError) {
  int checked = 0;
  EXPECT_TRUE(CheckBoth(1, 2, &checked).ok());
  EXPECT_EQ(checked, 2);
  EXPECT_EQ(CheckBoth(-1, 2, &checked), absl::OutOfRangeError("below 0"));
  EXPECT_EQ(checked, 2);
  EXPECT_FALSE(CheckBoth(1, -2, &checked).ok());
  EXPECT_EQ(checked, 3);
}

TEST(StatusTest, ContextComesBeforeTheMessage) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), "file").ok());
  EXPECT_EQ(Annotate(absl::DataLossError("cut off"), "file"),
            absl::DataLossError("file: cut off"));
}

}  // namespace
}  // namespace continuo
