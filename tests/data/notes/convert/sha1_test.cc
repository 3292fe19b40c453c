// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/sha1.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

// Test vectors of FIPS 180-4; the last crosses a block with its padding.
TEST(Sha1Test, MatchesPublishedDigests) {
  EXPECT_EQ(Sha1Hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(Sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Sha1Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(Sha1Hex(std::string(1000000, 'a')),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

}  // namespace
}  // namespace continuo
