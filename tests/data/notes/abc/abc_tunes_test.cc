// SPDX-License-Identifier: Apache-2.0

// The tunes under scripts/tunes: read whole, and musically sound.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_reader.h"
#include "data/notes/abc/abc_score.h"
#include "data/notes/abc/abc_text.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

const std::string kTunes = CONTINUO_SOURCE_DIR "/scripts/tunes";

// A stretch of notes between two bar lines.
struct Bar {
  AbcRational length;
  bool at_repeat = false;  // begins or ends at a repeat or at the tune's ends
};

std::vector<Bar> Bars(const AbcScore& score) {
  std::vector<Bar> bars = {{.length = {}, .at_repeat = true}};
  for (const AbcElement& element : score.elements) {
    bars.back().length = bars.back().length + element.length;
    if (element.kind != AbcElement::Kind::kBar) continue;
    const bool repeat = element.repeat_end > 0 || element.repeat_start > 0;
    bars.back().at_repeat |= repeat;
    if (bars.back().length.num == 0) continue;
    bars.push_back({.length = {}, .at_repeat = repeat});
  }
  if (bars.back().length.num == 0) bars.pop_back();
  bars.back().at_repeat = true;
  return bars;
}

TEST(AbcTunesTest, EveryTuneReads) {
  int tunes = 0;
  for (const std::string& name : testing::ListFiles(kTunes, ".abc")) {
    SCOPED_TRACE(name);
    const auto book =
        ReadAbc(testing::MustRead(absl::StrCat(kTunes, "/", name)));
    ASSERT_TRUE(book.ok()) << book.status();
    for (const AbcTune& tune : book->tunes) {
      EXPECT_TRUE(tune.status.ok()) << tune.status;
      EXPECT_FALSE(tune.sequence.sequence_metadata().title().empty());
      ++tunes;
    }
  }
  EXPECT_GE(tunes, 36);
}

TEST(AbcTunesTest, BarsAddUpToTheMeter) {
  for (const std::string& name : testing::ListFiles(kTunes, ".abc")) {
    const std::string text = testing::MustRead(absl::StrCat(kTunes, "/", name));
    const AbcBookText book = SplitAbcTunes(text);
    for (const AbcTuneText& tune : book.tunes) {
      SCOPED_TRACE(absl::StrCat(name, ": ", tune.lines[1].text));
      ReadReport report;
      const auto score = ReadAbcScore(book.header, tune.lines, &report);
      ASSERT_TRUE(score.ok()) << score.status();
      const AbcRational want = score->contexts[0].meter.Bar();
      const std::vector<Bar> bars = Bars(*score);
      int full = 0;
      for (size_t i = 0; i < bars.size(); ++i) {
        if (bars[i].length == want) {
          ++full;
          continue;
        }
        EXPECT_TRUE(bars[i].at_repeat) << "bar " << i;
        // An upbeat and the short bar that it completes.
        EXPECT_LT(bars[i].length.ToDouble(), want.ToDouble()) << "bar " << i;
      }
      EXPECT_GE(full, 8);
      // What a repeat goes back to follows on what it ends with.
      for (size_t i = 0; i + 1 < bars.size(); ++i) {
        if (bars[i].length == want || bars[i + 1].length == want) continue;
        EXPECT_TRUE(bars[i].length + bars[i + 1].length == want)
            << "bars " << i << " and " << i + 1;
      }
    }
  }
}

}  // namespace
}  // namespace continuo
