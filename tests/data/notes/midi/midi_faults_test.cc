// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_faults.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(MidiFaultsTest, EveryKindHasWordsOfItsOwn) {
  std::set<std::string> texts;
  for (int i = 0; i < static_cast<int>(MidiFault::kNumFaults); ++i) {
    const std::string text(MidiFaultText(static_cast<MidiFault>(i)));
    EXPECT_FALSE(text.empty()) << i;
    // ": " would end a reason.
    EXPECT_FALSE(absl::StrContains(text, ": ")) << text;
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
}

TEST(MidiFaultsTest, AppendsWhatIsCountedToAReport) {
  MidiFaults faults;
  faults.Add(MidiFault::kVelocity);
  faults.Add(MidiFault::kVelocity, 2);
  faults.Add(MidiFault::kKey);
  ReadReport report;
  report.Warn("a wrong key signature, left out");
  faults.AppendTo(&report);
  EXPECT_EQ(report.WarningText(),
            "3 x a velocity above 127, taken as 127; "
            "2 x a wrong key signature, left out");
}

}  // namespace
}  // namespace continuo
