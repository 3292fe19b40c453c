// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_shift.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

int SoundOf(const std::string& field) {
  return AbcSoundShift(ParseAbcShift(field), {});
}

TEST(AbcShiftTest, WordsOfKeyAndVoiceFields) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"", 0},
      {"C", 0},
      {"Am transpose=-5", -5},
      {"C octave=-1", -12},
      {"C octave = 2", 24},
      {"G clef=treble-8", -12},
      {"G treble+8", 12},
      {"clef=\"treble-8\"", -12},
      {"tenor-8", -12},
      {"bass3-15", -24},
      {"clef=F3-8", -12},
      {"clef=G2+8", 12},
      {"clef=perc", 0},
      // Drawn only: the clef, its line, where a middle or a score note stands.
      {"clef=bass middle=d", 0},
      {"clef=treble_8", 0},
      {"C score=CD", 0},
      {"clef=bass middle=d transpose=-24", -24},
      {"clef=treble-8 octave=1", 12},
      {"C sound=cB", -1},
      {"C shift=C^d", 15},
      {"C instrument=_B", -2},
      {"C instrument=d/_B", -2},
      // Names are no words of ours.
      {"name=\"octave=3 treble-8\" snm=\"transpose=2\"", 0},
      {"\"octave=3\" transpose=1", 1},
      {"F8", 0},
      {"octave=x transpose=", 0},
      {"transpose=99999999999", 128},
  };
  for (const auto& [field, semitones] : cases) {
    EXPECT_EQ(SoundOf(field), semitones) << field;
  }
}

TEST(AbcShiftTest, VoicesCountBeforeTheTuneAndOctavesBeforeClefs) {
  const AbcShift low = ParseAbcShift("octave=-1");
  const AbcShift clef = ParseAbcShift("clef=treble-8");
  const AbcShift bass = ParseAbcShift("clef=bass");
  EXPECT_EQ(AbcSoundShift(low, ParseAbcShift("octave=1")), 12);
  EXPECT_EQ(AbcSoundShift(low, bass), -12);
  EXPECT_EQ(AbcSoundShift(clef, bass), 0);
  EXPECT_EQ(AbcSoundShift(clef, low), -12);
  EXPECT_EQ(AbcSoundShift(ParseAbcShift("transpose=-2"),
                          ParseAbcShift("transpose=-12")),
            -14);
  AbcShift changed = low;
  changed.Update(ParseAbcShift("C transpose=3"));
  EXPECT_EQ(AbcSoundShift(changed, {}), -9);
}

TEST(AbcShiftTest, MidiDirectives) {
  AbcShift tune;
  ApplyAbcMidiDirective(" transpose -3", &tune);
  EXPECT_EQ(AbcSoundShift(tune, {}), -3);
  ApplyAbcMidiDirective("rtranspose 5", &tune);
  EXPECT_EQ(AbcSoundShift(tune, {}), 2);
  ApplyAbcMidiDirective("program 40", &tune);
  ApplyAbcMidiDirective("transpose", &tune);
  ApplyAbcMidiDirective("", &tune);
  EXPECT_EQ(AbcSoundShift(tune, {}), 2);
  ApplyAbcMidiDirective("transpose=0", &tune);
  EXPECT_EQ(AbcSoundShift(tune, {}), 0);
}

}  // namespace
}  // namespace continuo
