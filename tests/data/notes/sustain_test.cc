// SPDX-License-Identifier: Apache-2.0

#include "data/notes/sustain.h"

#include "data/notes/stretch.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

void AddNote(double start, double end, int pitch, int instrument,
             NoteSequence* sequence) {
  NoteSequence::Note* note = sequence->add_notes();
  note->set_start_time(start);
  note->set_end_time(end);
  note->set_pitch(pitch);
  note->set_velocity(80);
  note->set_instrument(instrument);
  sequence->set_total_time(std::max(sequence->total_time(), end));
}

void AddPedal(double time, int value, int instrument, NoteSequence* sequence) {
  NoteSequence::ControlChange* change = sequence->add_control_changes();
  change->set_time(time);
  change->set_control_number(64);
  change->set_control_value(value);
  change->set_instrument(instrument);
}

TEST(SustainTest, ThePedalHoldsItsOwnInstrument) {
  NoteSequence sequence;
  AddNote(0, 1, 60, 0, &sequence);
  AddNote(0, 1, 60, 1, &sequence);
  AddNote(1.5, 3, 62, 0, &sequence);  // key still down at the lift
  AddPedal(0.5, 64, 0, &sequence);
  AddPedal(2, 63, 0, &sequence);
  ApplySustain(&sequence);
  EXPECT_EQ(sequence.notes(0).end_time(), 2);
  EXPECT_EQ(sequence.notes(1).end_time(), 1);
  EXPECT_EQ(sequence.notes(2).end_time(), 3);
  EXPECT_EQ(sequence.total_time(), 3);
}

TEST(SustainTest, StrikingAgainEndsTheHeldNote) {
  NoteSequence sequence;
  AddPedal(0, 127, 0, &sequence);
  AddNote(0, 0.5, 60, 0, &sequence);
  AddNote(1, 1.5, 60, 0, &sequence);
  AddNote(2, 2.1, 61, 0, &sequence);
  ApplySustain(&sequence);
  EXPECT_EQ(sequence.notes(0).end_time(), 1);
  // Never lifted: to the last event.
  EXPECT_EQ(sequence.notes(1).end_time(), 2.1);
  EXPECT_EQ(sequence.notes(2).end_time(), 2.1);
}

TEST(SustainTest, ANoteStruckTwiceAtOnceIsOne) {
  NoteSequence sequence;
  AddPedal(0, 127, 0, &sequence);
  AddNote(1, 1.2, 60, 0, &sequence);
  AddNote(1, 1.7, 60, 0, &sequence);
  AddPedal(3, 0, 0, &sequence);
  ApplySustain(&sequence);
  ASSERT_EQ(sequence.notes_size(), 1);
  EXPECT_EQ(sequence.notes(0).start_time(), 1);
  EXPECT_EQ(sequence.notes(0).end_time(), 3);
}

TEST(SustainTest, DrumsStayAsTheyAre) {
  NoteSequence sequence;
  AddPedal(0, 127, 0, &sequence);
  AddNote(0, 0.1, 36, 0, &sequence);
  sequence.mutable_notes(0)->set_is_drum(true);
  AddPedal(5, 0, 0, &sequence);
  ApplySustain(&sequence);
  EXPECT_EQ(sequence.notes(0).end_time(), 0.1);
  EXPECT_EQ(sequence.total_time(), 0.1);
}

TEST(StretchTest, TimesGrowAndTemposShrink) {
  NoteSequence sequence;
  AddNote(1, 2, 60, 0, &sequence);
  AddPedal(1.5, 127, 0, &sequence);
  sequence.add_tempos()->set_qpm(120);
  NoteSequence same = sequence;
  StretchSequence(1, &same);
  EXPECT_EQ(same.SerializeAsString(), sequence.SerializeAsString());
  StretchSequence(1.25, &sequence);
  EXPECT_EQ(sequence.notes(0).start_time(), 1.25);
  EXPECT_EQ(sequence.notes(0).end_time(), 2.5);
  EXPECT_EQ(sequence.total_time(), 2.5);
  EXPECT_EQ(sequence.control_changes(0).time(), 1.875);
  EXPECT_EQ(sequence.tempos(0).qpm(), 96);
}

}  // namespace
}  // namespace continuo
