// SPDX-License-Identifier: Apache-2.0

#include "generate/pictures/piano_roll.h"

#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

void AddNote(int pitch, double start, double end, NoteSequence* sequence) {
  auto* note = sequence->add_notes();
  note->set_pitch(pitch);
  note->set_velocity(100);
  note->set_start_time(start);
  note->set_end_time(end);
  sequence->set_total_time(std::max(sequence->total_time(), end));
}

TEST(BarTimesTest, DefaultsToFourQuartersAt120) {
  NoteSequence sequence;
  EXPECT_EQ(BarTimes(sequence), (std::vector<double>{0, 2}));
  AddNote(60, 0, 4.5, &sequence);
  EXPECT_EQ(BarTimes(sequence), (std::vector<double>{0, 2, 4, 6}));
}

TEST(BarTimesTest, TheLastBarEndsWithTheMusic) {
  NoteSequence sequence;
  AddNote(60, 0, 4.0000001, &sequence);
  EXPECT_EQ(BarTimes(sequence).size(), 3);
}

TEST(BarTimesTest, FollowsMetersAndTempos) {
  NoteSequence sequence;
  AddNote(60, 0, 7.5, &sequence);
  auto* meter = sequence.add_time_signatures();
  meter->set_numerator(3);
  meter->set_denominator(4);
  meter = sequence.add_time_signatures();
  meter->set_time(3);
  meter->set_numerator(6);
  meter->set_denominator(8);
  // In the middle of the second bar the tempo halves.
  sequence.add_tempos()->set_qpm(120);
  auto* tempo = sequence.add_tempos();
  tempo->set_time(2);
  tempo->set_qpm(60);
  EXPECT_EQ(BarTimes(sequence), (std::vector<double>{0, 1.5, 4, 7, 10}));
}

TEST(BarTimesTest, IsBoundedForEndlessMusicAndBadValues) {
  NoteSequence sequence;
  AddNote(60, 0, 1e12, &sequence);
  sequence.add_tempos()->set_qpm(0);
  sequence.add_time_signatures();
  EXPECT_EQ(BarTimes(sequence, 100).size(), 101);
}

TEST(PianoRollTest, NotesAppearAtTheirTimeAndPitch) {
  PianoRollPanel panel = {.title = "x", .sequence = {}};
  AddNote(60, 0, 1, &panel.sequence);
  AddNote(72, 1, 2, &panel.sequence);
  const Canvas roll = RenderPianoRolls({panel});
  // Centers of the blue pixels in the left and the right half of the bar.
  double low = 0, high = 0;
  int low_count = 0, high_count = 0;
  for (int y = 0; y < roll.height(); ++y) {
    for (int x = 0; x < roll.width(); ++x) {
      const Color color = roll.At(x, y);
      if (color.b < color.r + 80) continue;
      if (2 * x < roll.width()) {
        low += y;
        ++low_count;
      } else {
        high += y;
        ++high_count;
      }
    }
  }
  ASSERT_GT(low_count, 100);
  ASSERT_GT(high_count, 100);
  EXPECT_GT(low / low_count, high / high_count + 50);
}

TEST(PianoRollTest, GridsGrowWithThePanels) {
  const std::vector<PianoRollPanel> panels(10);
  const Canvas one = RenderPianoRolls({panels[0]});
  const Canvas ten = RenderPianoRolls(panels);
  EXPECT_GT(ten.width(), 1.9 * one.width());
  EXPECT_GT(ten.height(), 4 * one.height());
}

}  // namespace
}  // namespace continuo
