// SPDX-License-Identifier: Apache-2.0

#include "data/notes/instruments.h"

#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

NoteSequence ThreeNotes() {
  NoteSequence sequence;
  for (const auto& [instrument, pitch, program, drum] :
       {std::tuple(9, 36, 0, true), {2, 60, 40, false}, {2, 55, 41, false}}) {
    NoteSequence::Note* note = sequence.add_notes();
    note->set_instrument(instrument);
    note->set_pitch(pitch);
    note->set_program(program);
    note->set_is_drum(drum);
  }
  return sequence;
}

TEST(InstrumentsTest, NotesKeepTheirOrder) {
  const NoteSequence sequence = ThreeNotes();
  const auto notes = NotesByInstrument(sequence);
  ASSERT_EQ(notes.size(), 2);
  EXPECT_EQ(notes.at(9), std::vector{&sequence.notes(0)});
  EXPECT_EQ(notes.at(2), (std::vector{&sequence.notes(1), &sequence.notes(2)}));
  EXPECT_TRUE(NotesByInstrument({}).empty());
}

TEST(InstrumentsTest, SummariesCountAndKnowTheRange) {
  const auto summaries = SummarizeInstruments(ThreeNotes());
  ASSERT_EQ(summaries.size(), 2);
  EXPECT_TRUE(summaries.at(9).drums);
  const InstrumentSummary& strings = summaries.at(2);
  EXPECT_FALSE(strings.drums);
  EXPECT_EQ(strings.program, 41);
  EXPECT_EQ(strings.notes, 2);
  EXPECT_EQ(strings.lowest, 55);
  EXPECT_EQ(strings.highest, 60);
}

}  // namespace
}  // namespace continuo
