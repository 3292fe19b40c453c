// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

// Vectors of RFC 3720, appendix B.4.
TEST(Crc32cTest, MatchesPublishedVectors) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(Crc32cTest, ExtendsInPieces) {
  const std::string data = "a longer text, split at every position";
  for (size_t i = 0; i <= data.size(); ++i) {
    EXPECT_EQ(ExtendCrc32c(Crc32c(data.substr(0, i)), data.substr(i)),
              Crc32c(data));
  }
}

}  // namespace
}  // namespace continuo
