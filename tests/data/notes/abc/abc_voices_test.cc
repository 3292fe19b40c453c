// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_voices.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(AbcVoicesTest, LinesBelongToTheVoiceNamedLast) {
  AbcVoices voices;
  EXPECT_EQ(voices.current(), 0);
  voices.Select("T");
  voices.Select("B");
  voices.CountBar();
  EXPECT_EQ(voices.current(), 1);
  EXPECT_EQ(voices.bar(), 1);
  voices.Select("T");
  EXPECT_EQ(voices.current(), 0);
  EXPECT_EQ(voices.bar(), 0);
  EXPECT_EQ(voices.size(), 2);
}

TEST(AbcVoicesTest, MusicWithoutAVoiceHasOne) {
  AbcVoices voices;
  voices.BeginMusic();
  voices.BeginMusic();
  EXPECT_EQ(voices.size(), 1);
  voices.Select("1");
  EXPECT_EQ(voices.current(), 0);
}

TEST(AbcVoicesTest, FindsVoicesWithNotes) {
  AbcVoices voices;
  for (const char* name : {"a", "b", "c"}) voices.Select(name);
  voices.CountNote();
  EXPECT_EQ(voices.NextWithNotes(0), 2);
  EXPECT_EQ(voices.NextWithNotes(3), 3);
}

TEST(AbcVoicesTest, TooManyVoicesAreNotKnown) {
  AbcVoices voices;
  for (int i = 0; i < 1000; ++i) voices.Select(absl::StrCat(i));
  voices.CountNote();
  voices.CountBar();
  EXPECT_LE(voices.size(), 64);
  EXPECT_EQ(voices.bar(), 0);
  EXPECT_EQ(voices.NextWithNotes(0), voices.size());
}

TEST(AbcVoicesTest, TemposOfOtherVoicesCountFromTheSameBar) {
  AbcScore score;
  score.contexts.resize(2);
  score.contexts[0].qpm = 120;
  score.contexts[1].qpm = 90;
  // Four bars of a note each; the voice's own tempo comes in the last.
  for (int i = 0; i < 4; ++i) {
    AbcElement note;
    note.kind = AbcElement::Kind::kNote;
    note.context = i == 3 ? 1 : 0;
    score.elements.push_back(note);
    AbcElement bar = note;
    bar.kind = AbcElement::Kind::kBar;
    bar.clears = true;
    score.elements.push_back(bar);
  }
  ApplyAbcTuneTempos({{2, 80}, {1, 60}}, &score);
  std::vector<double> tempos;
  for (size_t i = 0; i < score.elements.size(); i += 2) {
    tempos.push_back(score.contexts[score.elements[i].context].qpm);
  }
  EXPECT_EQ(tempos, (std::vector<double>{120, 60, 80, 90}));
}

}  // namespace
}  // namespace continuo
