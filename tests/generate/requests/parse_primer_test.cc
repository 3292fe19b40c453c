// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/parse_primer.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(ParsePrimerTest, DrumsOfEachStepAreRead) {
  for (const char* text : {"[(36, 42), (), (42,)]", "[[36,42],[],[42]]"}) {
    const auto track = ParseDrumsPrimer(text);
    ASSERT_TRUE(track.ok()) << track.status();
    ASSERT_EQ(track->hits.size(), 3u);
    EXPECT_EQ(track->hits[0], DrumHit().set(36).set(42));
    EXPECT_TRUE(track->hits[1].none());
    EXPECT_EQ(track->hits[2], DrumHit().set(42));
  }
}

TEST(ParsePrimerTest, ChordsLastHalfASecond) {
  const auto chord = ParseChordPrimer("[60, 64, 67]");
  ASSERT_TRUE(chord.ok()) << chord.status();
  ASSERT_EQ(chord->notes_size(), 3);
  EXPECT_EQ(chord->notes(2).pitch(), 67);
  EXPECT_EQ(chord->notes(2).velocity(), 100);
  EXPECT_EQ(chord->notes(2).end_time(), 0.5);
  EXPECT_EQ(chord->total_time(), 0.5);
}

TEST(ParsePrimerTest, AnythingElseIsShownWithACaret) {
  for (const char* text : {"", "36", "[]", "[36]", "[(36, 128)]", "[(-1,)]",
                           "[(36.5,)]", "[(36, True)]", "[(36,), “42”]"}) {
    const auto track = ParseDrumsPrimer(text);
    EXPECT_EQ(track.status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
  for (const char* text : {"60", "[]", "[[60]]", "[128]", "[60.0]"}) {
    const auto chord = ParseChordPrimer(text);
    EXPECT_EQ(chord.status().code(), absl::StatusCode::kInvalidArgument)
        << text;
    EXPECT_TRUE(absl::StrContains(chord.status().message(), "^")) << text;
  }
}

}  // namespace
}  // namespace continuo
