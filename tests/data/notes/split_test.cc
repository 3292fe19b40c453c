// SPDX-License-Identifier: Apache-2.0

#include "data/notes/split.h"

#include <limits>

#include "gtest/gtest.h"
#include "tests/data/notes/sequence_edits.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using testing::AddMetre;
using testing::AddTempo;

NoteSequence WithNotes(std::initializer_list<std::pair<double, double>> notes) {
  NoteSequence sequence;
  for (const auto& [start, end] : notes) {
    auto* note = sequence.add_notes();
    note->set_pitch(60);
    note->set_start_time(start);
    note->set_end_time(end);
    sequence.set_total_time(std::max(sequence.total_time(), end));
  }
  return sequence;
}

TEST(SplitTest, NothingFromASequenceWithoutLength) {
  const auto parts = SplitOnTimeChanges(NoteSequence());
  ASSERT_TRUE(parts.ok());
  EXPECT_TRUE(parts->empty());
}

TEST(SplitTest, CutsNotesAtAChange) {
  NoteSequence sequence = WithNotes({{0, 3}, {2, 4}});
  AddTempo(0, 120, &sequence);
  AddTempo(1, 90, &sequence);
  const auto parts = SplitOnTimeChanges(sequence);
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 2u);
  const NoteSequence& first = (*parts)[0];
  ASSERT_EQ(first.notes_size(), 1);
  EXPECT_EQ(first.notes(0).end_time(), 1);
  EXPECT_EQ(first.total_time(), 1);
  EXPECT_EQ(first.subsequence_info().end_time_offset(), 3 - 0.0);
  const NoteSequence& second = (*parts)[1];
  ASSERT_EQ(second.notes_size(), 1);
  EXPECT_EQ(second.notes(0).start_time(), 1);
  EXPECT_EQ(second.notes(0).end_time(), 3);
  ASSERT_EQ(second.tempos_size(), 1);
  EXPECT_EQ(second.tempos(0).time(), 0);
  EXPECT_EQ(second.tempos(0).qpm(), 90);
  EXPECT_EQ(second.subsequence_info().start_time_offset(), 1);
}

TEST(SplitTest, RestatedValuesAndLateChangesDoNotSplit) {
  NoteSequence sequence = WithNotes({{0, 4}});
  AddTempo(0, 120, &sequence);
  AddTempo(1, 120, &sequence);
  AddMetre(2, 4, 4, &sequence);
  AddMetre(4, 3, 4, &sequence);  // at the end
  const auto parts = SplitOnTimeChanges(sequence);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->size(), 1u);
}

TEST(SplitTest, SimultaneousChangesSplitOnce) {
  NoteSequence sequence = WithNotes({{0, 4}});
  AddTempo(2, 90, &sequence);
  AddMetre(2, 3, 4, &sequence);
  const auto parts = SplitOnTimeChanges(sequence);
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[1].time_signatures(0).numerator(), 3);
  EXPECT_EQ((*parts)[1].tempos(0).qpm(), 90);
}

TEST(SplitTest, PedalsAreCarriedPerInstrument) {
  NoteSequence sequence = WithNotes({{0, 4}});
  const auto add = [&](double time, int instrument, int number, int value) {
    auto* change = sequence.add_control_changes();
    change->set_time(time);
    change->set_instrument(instrument);
    change->set_control_number(number);
    change->set_control_value(value);
  };
  add(0.5, 0, 64, 127);
  add(0.6, 1, 64, 90);
  add(0.7, 0, 7, 50);  // volume: dropped
  add(2.5, 0, 64, 0);
  const auto parts = ExtractSubsequences(sequence, {0, 1, 2, 3});
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ((*parts)[0].control_changes_size(), 2);
  ASSERT_EQ((*parts)[1].control_changes_size(), 2);
  EXPECT_EQ((*parts)[1].control_changes(0).control_value(), 127);
  EXPECT_EQ((*parts)[1].control_changes(1).control_value(), 90);
  ASSERT_EQ((*parts)[2].control_changes_size(), 3);
  EXPECT_EQ((*parts)[2].control_changes(2).time(), 0.5);
}

TEST(SplitTest, AnEventOnABoundaryIsTheLaterPartsState) {
  NoteSequence sequence = WithNotes({{0, 4}});
  AddTempo(2, 90, &sequence);
  const auto parts = ExtractSubsequences(sequence, {0, 2, 4});
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ((*parts)[0].tempos_size(), 0);
  ASSERT_EQ((*parts)[1].tempos_size(), 1);
  EXPECT_EQ((*parts)[1].tempos(0).time(), 0);
}

TEST(SplitTest, RefusesTimesThatCannotBeOrdered) {
  NoteSequence sequence = WithNotes({{0, 4}});
  EXPECT_FALSE(ExtractSubsequences(sequence, {0}).ok());
  EXPECT_FALSE(ExtractSubsequences(sequence, {2, 1}).ok());
  EXPECT_FALSE(ExtractSubsequences(sequence, {4, 5}).ok());
  AddTempo(std::numeric_limits<double>::quiet_NaN(), 90, &sequence);
  EXPECT_EQ(SplitOnTimeChanges(sequence).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SplitTest, TrimKeepsTimes) {
  const NoteSequence trimmed =
      TrimSequence(WithNotes({{0, 1}, {1, 5}, {3, 4}}), 1, 3);
  ASSERT_EQ(trimmed.notes_size(), 1);
  EXPECT_EQ(trimmed.notes(0).start_time(), 1);
  EXPECT_EQ(trimmed.notes(0).end_time(), 3);
  EXPECT_EQ(trimmed.total_time(), 3);
}

TEST(SplitTest, EveryThirtySeconds) {
  NoteSequence sequence;
  for (double start : {1.0, 29.0, 30.0, 61.0}) {
    auto* note = sequence.add_notes();
    note->set_start_time(start);
    note->set_end_time(start + 2);
  }
  sequence.set_total_time(63);
  const auto parts = SplitEvery(30, sequence);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[0].notes_size(), 2);
  EXPECT_EQ((*parts)[0].notes(1).end_time(), 30);  // cut
  EXPECT_EQ((*parts)[1].notes_size(), 1);
  EXPECT_EQ((*parts)[1].notes(0).start_time(), 0);
  EXPECT_EQ((*parts)[2].notes(0).start_time(), 1);

  // An end on the boundary makes no empty part.
  sequence.mutable_notes()->DeleteSubrange(2, 2);
  sequence.set_total_time(60);
  EXPECT_EQ(SplitEvery(30, sequence)->size(), 2u);
  sequence.set_total_time(0);
  EXPECT_TRUE(SplitEvery(30, sequence)->empty());
  // Damage, not music.
  sequence.set_total_time(1e12);
  EXPECT_EQ(SplitEvery(30, sequence).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace continuo
