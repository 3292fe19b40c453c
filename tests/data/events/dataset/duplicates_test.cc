// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/duplicates.h"

#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

// A sketch of which a share of the elements is that of theme `theme`.
Fingerprint Near(int theme, int number, double share) {
  Fingerprint fingerprint;
  fingerprint.notes = {uint64_t(theme) + 1, uint64_t(number) + 1};
  for (size_t i = 0; i < fingerprint.sketch.size(); ++i) {
    const bool own = RandomDouble(number, RandomPurpose::kSample, 1, i) > share;
    fingerprint.sketch[i] = 1 + static_cast<uint32_t>(RandomBelow(
                                    own ? number + 1000 : theme,
                                    RandomPurpose::kSample, 2, i, 1u << 30));
  }
  return fingerprint;
}

TEST(DuplicatesTest, CopiesPointAtTheFirst) {
  Fingerprint a = Near(1, 1, 1);
  Fingerprint b = Near(2, 2, 1);
  Fingerprint none;
  const Duplicates found =
      FindDuplicates(std::vector<Fingerprint>{none, a, b, a, none, b, a});
  EXPECT_EQ(found.copy_of, (std::vector<int64_t>{-1, -1, -1, 1, -1, 2, 1}));
  EXPECT_EQ(found.group, (std::vector<int64_t>{0, 1, 2, 1, 4, 2, 1}));
  EXPECT_EQ(found.num_copies(), 3);
  EXPECT_EQ(found.num_near(), 0);
}

TEST(DuplicatesTest, NearOnesShareAGroupAndStrangersDoNot) {
  std::vector<Fingerprint> all;
  for (int i = 0; i < 200; ++i) all.push_back(Near(i % 50, i, 0.85));
  const Duplicates found = FindDuplicates(all);
  EXPECT_EQ(found.num_copies(), 0);
  EXPECT_EQ(found.num_near(), 200);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(found.group[i], i % 50);

  all.clear();
  for (int i = 0; i < 200; ++i) all.push_back(Near(i % 50, i, 0.4));
  EXPECT_EQ(FindDuplicates(all).num_near(), 0);
}

// All alike in all bands: linear, not quadratic, work.
TEST(DuplicatesTest, ManyOfOneKindAreOneGroup) {
  std::vector<Fingerprint> all;
  for (int i = 0; i < 20000; ++i) {
    all.push_back(Near(1, 1, 1));
    all.back().notes[1] = uint64_t(i) + 1;
  }
  const Duplicates found = FindDuplicates(all);
  EXPECT_EQ(found.num_near(), 20000);
  EXPECT_EQ(found.group.back(), 0);
}

}  // namespace
}  // namespace continuo
