// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/one_process.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(OneProcessTest, EverythingIsItsOwn) {
  const auto one = MakeOneProcess();
  EXPECT_EQ(one->rank(), 0);
  EXPECT_EQ(one->size(), 1);
  const Stream stream;
  std::vector<float> sent = {1, 2, 3};
  std::vector<float> received(3);
  ASSERT_TRUE(one->Exchange(stream, {absl::MakeConstSpan(sent)},
                            {absl::MakeSpan(received)})
                  .ok());
  EXPECT_EQ(received, sent);
  ASSERT_TRUE(
      one->Exchange(stream, {absl::MakeConstSpan(sent)}, {absl::MakeSpan(sent)})
          .ok());
  ASSERT_TRUE(one->AllGather(stream, {0, 3}, absl::MakeSpan(sent)).ok());
  ASSERT_TRUE(one->AllReduceSum(stream, absl::MakeSpan(sent)).ok());
  ASSERT_TRUE(one->Wait(stream).ok());
  EXPECT_EQ(sent, (std::vector<float>{1, 2, 3}));
  const auto bytes = one->GatherBytes("mine");
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, std::vector<std::string>{"mine"});
  std::string text = "text";
  ASSERT_TRUE(one->BroadcastBytes(0, &text).ok());
  EXPECT_EQ(text, "text");
  EXPECT_TRUE(one->Barrier().ok());
}

}  // namespace
}  // namespace continuo
