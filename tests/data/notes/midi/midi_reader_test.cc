// SPDX-License-Identifier: Apache-2.0

// What Magenta's libraries make of MIDI files, one quirk a test, and what the
// standard reading makes of them where it differs. The numbers were worked out
// from their rules; all of them at 480 ticks per quarter and 120 quarters per
// minute, 960 ticks a second.

#include "data/notes/midi/midi_reader.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

using ::continuo::testing::Bytes;
using ::continuo::testing::MidiFile;
using ::tensorflow::magenta::NoteSequence;

NoteSequence MustReadMidi(const std::string& file,
                          Reading reading = Reading::kMagenta) {
  ReadReport report = {.repair = "unset", .warnings = {}};
  auto sequence = ReadMidi(file, {.reading = reading}, &report);
  EXPECT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_EQ(report.repair, "");
  return sequence.ok() ? *std::move(sequence) : NoteSequence();
}

void ExpectNote(const NoteSequence& sequence, int index, int pitch,
                int velocity, double start, double end) {
  ASSERT_LT(index, sequence.notes_size());
  const auto& note = sequence.notes(index);
  EXPECT_EQ(note.pitch(), pitch);
  EXPECT_EQ(note.velocity(), velocity);
  EXPECT_EQ(note.start_time(), start);
  EXPECT_EQ(note.end_time(), end);
}

TEST(MidiReaderTest, ReadsNotesWithRunningStatus) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0x90, 60, 80,     // 0: C on
             0x83, 0x60, 62, 90,  // 480: D on, running status
             0x83, 0x60, 60, 0,   // 960: C off by velocity 0
             0, 0x80, 62, 64}),   // 960: D off by its own status
  }));
  ASSERT_EQ(sequence.notes_size(), 2);
  ExpectNote(sequence, 0, 60, 80, 0.0, 1.0);
  ExpectNote(sequence, 1, 62, 90, 0.5, 1.0);
  EXPECT_EQ(sequence.total_time(), 1.0);
  EXPECT_EQ(sequence.ticks_per_quarter(), 480);
  EXPECT_EQ(sequence.source_info().encoding_type(),
            NoteSequence::SourceInfo::MIDI);
  EXPECT_EQ(sequence.source_info().parser(),
            NoteSequence::SourceInfo::PRETTY_MIDI);
  ASSERT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.tempos(0).qpm(), 120.0);
  EXPECT_EQ(sequence.time_signatures_size(), 0);
}

TEST(MidiReaderTest, MetaEventsKeepRunningStatus) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0x90, 60, 80, 0, 0xff, 0x01, 1, 'x', 0x87, 0x40, 60, 0}),
  }));
  ASSERT_EQ(sequence.notes_size(), 1);
  ExpectNote(sequence, 0, 60, 80, 0.0, 1.0);
}

TEST(MidiReaderTest, NoteOffClosesAllOpenNotesOfItsPitch) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0x90, 60, 80, 0x83, 0x60, 60, 90, 0x83, 0x60, 60, 0, 0, 60,
             0}),  // the second off is unmatched
  }));
  ASSERT_EQ(sequence.notes_size(), 2);
  ExpectNote(sequence, 0, 60, 80, 0.0, 1.0);
  ExpectNote(sequence, 1, 60, 90, 0.5, 1.0);
}

TEST(MidiReaderTest, NoteOffKeepsTheNoteThatBeganOnItsTick) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0x90, 60, 80, 0x83, 0x60, 60, 90, 0, 60, 0, 0x83, 0x60, 60, 0}),
  }));
  ASSERT_EQ(sequence.notes_size(), 2);
  ExpectNote(sequence, 0, 60, 80, 0.0, 0.5);
  ExpectNote(sequence, 1, 60, 90, 0.5, 1.0);
}

TEST(MidiReaderTest, NoteOffOnTheTickOfTheOnlyNoteDropsIt) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0x90, 60, 80, 0, 60, 0, 0x83, 0x60, 60, 0}),
  }));
  EXPECT_EQ(sequence.notes_size(), 0);
  EXPECT_EQ(sequence.total_time(), 0.0);
}

TEST(MidiReaderTest, LosesNotesThatAreNeverClosedInTheirTrack) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0x90, 60, 80}),
      Bytes({0x83, 0x60, 0x90, 60, 0}),  // another track closes nothing
  }));
  EXPECT_EQ(sequence.notes_size(), 0);
}

TEST(MidiReaderTest, NumbersInstrumentsByFirstNoteOff) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0xc1, 5, 0, 0x91, 60, 80, 0, 0x99, 36, 90,  // tick 0
             0x60, 0x99, 36, 0,                             // drums end first
             0x60, 0x91, 60, 0}),
      Bytes({0, 0x91, 64, 70, 0x60, 64, 0}),  // program 0 again in a new track
  }));
  ASSERT_EQ(sequence.notes_size(), 3);
  EXPECT_EQ(sequence.notes(0).instrument(), 0);
  EXPECT_TRUE(sequence.notes(0).is_drum());
  EXPECT_EQ(sequence.notes(0).program(), 0);
  EXPECT_EQ(sequence.notes(1).instrument(), 1);
  EXPECT_FALSE(sequence.notes(1).is_drum());
  EXPECT_EQ(sequence.notes(1).program(), 5);
  EXPECT_EQ(sequence.notes(2).instrument(), 2);
  EXPECT_EQ(sequence.notes(2).program(), 0);
}

TEST(MidiReaderTest, NoteTakesTheProgramOfItsEnd) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0xc0, 5, 0, 0x90, 60, 80, 0x60, 0xc0, 9, 0, 0x90, 60, 0}),
  }));
  ASSERT_EQ(sequence.notes_size(), 1);
  EXPECT_EQ(sequence.notes(0).program(), 9);
}

TEST(MidiReaderTest, ControlsBeforeTheFirstNoteBelongToAllThatFollow) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0xb0, 64, 127,               // ahead of any instrument
             0, 0xe0, 0,  96,                // and a bend of 4096
             0, 0x90, 60, 80,  0x60, 60, 0,  // program 0 appears
             0, 0xc0, 7,  0,   0x90, 62, 80, 0x60, 62, 0,  // program 7 appears
             0, 0xb0, 64, 0}),                             // now a control of 7
  }));
  // The two share one list.
  ASSERT_EQ(sequence.control_changes_size(), 4);
  for (int i = 0; i < 4; ++i) {
    const auto& control = sequence.control_changes(i);
    EXPECT_EQ(control.control_number(), 64);
    EXPECT_EQ(control.control_value(), i % 2 == 0 ? 127 : 0);
    EXPECT_EQ(control.instrument(), i / 2);
    EXPECT_EQ(control.program(), i < 2 ? 0 : 7);
    EXPECT_EQ(control.time(), i % 2 == 0 ? 0.0 : 0.2);
  }
  ASSERT_EQ(sequence.pitch_bends_size(), 2);
  EXPECT_EQ(sequence.pitch_bends(0).bend(), 4096);
}

TEST(MidiReaderTest, ControlsWithoutAnyNoteAreLost) {
  const NoteSequence sequence =
      MustReadMidi(MidiFile({Bytes({0, 0xb0, 64, 127, 0, 0xe0, 0, 0})}));
  EXPECT_EQ(sequence.control_changes_size(), 0);
  EXPECT_EQ(sequence.pitch_bends_size(), 0);
}

TEST(MidiReaderTest, TempoMeterAndKeyOfOtherTracksCountByTheStandardOnly) {
  const std::string changes =
      Bytes({0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40,     // 60 quarters per minute
             0, 0xff, 0x58, 4, 6,    3,    24,   8,  // 6/8
             0, 0xff, 0x59, 2, 0xfd, 1});            // three flats, minor
  const std::string note = Bytes({0, 0x90, 60, 80, 0x83, 0x60, 60, 0});
  const NoteSequence first = MustReadMidi(MidiFile({changes, note}));
  ASSERT_EQ(first.tempos_size(), 1);
  EXPECT_EQ(first.tempos(0).qpm(), 60.0);
  ASSERT_EQ(first.time_signatures_size(), 1);
  EXPECT_EQ(first.time_signatures(0).numerator(), 6);
  EXPECT_EQ(first.time_signatures(0).denominator(), 8);
  ASSERT_EQ(first.key_signatures_size(), 1);
  EXPECT_EQ(first.key_signatures(0).key(), NoteSequence::KeySignature::C);
  EXPECT_EQ(first.key_signatures(0).mode(), NoteSequence::KeySignature::MINOR);
  ExpectNote(first, 0, 60, 80, 0.0, 1.0);

  const NoteSequence second = MustReadMidi(MidiFile({note, changes}));
  EXPECT_EQ(second.tempos(0).qpm(), 120.0);
  EXPECT_EQ(second.time_signatures_size(), 0);
  EXPECT_EQ(second.key_signatures_size(), 0);
  ExpectNote(second, 0, 60, 80, 0.0, 0.5);

  EXPECT_EQ(MustReadMidi(MidiFile({note, changes}), Reading::kStandard)
                .SerializeAsString(),
            first.SerializeAsString());
}

TEST(MidiReaderTest, DropsRepeatedTemposAndReplacesTheFirst) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0,    0xff, 0x51, 3, 0x0f, 0x42, 0x40,  // replaced on its tick
             0,    0xff, 0x51, 3, 0x07, 0xa1, 0x20,  // 120
             0x60, 0xff, 0x51, 3, 0x07, 0xa1, 0x20,  // the same again
             0x60, 0xff, 0x51, 3, 0x0f, 0x42, 0x40}),
  }));
  ASSERT_EQ(sequence.tempos_size(), 2);
  EXPECT_EQ(sequence.tempos(0).qpm(), 120.0);
  EXPECT_EQ(sequence.tempos(1).qpm(), 60.0);
  EXPECT_DOUBLE_EQ(sequence.tempos(1).time(), 0.2);
}

TEST(MidiReaderTest, TimeBeforeAnUnknownMetaEventIsLost) {
  const std::string file = MidiFile({
      Bytes({0, 0x90, 60, 80, 0x83, 0x60, 0xff, 0x0a, 0,  // unknown: no time
             0x83, 0x60, 0xff, 0x06, 0,                   // a marker: time
             0x83, 0x60, 0x90, 60, 0}),
  });
  ExpectNote(MustReadMidi(file), 0, 60, 80, 0.0, 1.0);
  ExpectNote(MustReadMidi(file, Reading::kStandard), 0, 60, 80, 0.0, 1.5);
}

TEST(MidiReaderTest, EventsBehindTheEndOfTrackCount) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0, 0xff, 0x2f, 0, 0, 0x90, 60, 80, 0x87, 0x40, 60, 0}),
  }));
  ExpectNote(sequence, 0, 60, 80, 0.0, 1.0);
}

TEST(MidiReaderTest, NamesInstrumentsAfterTheirTrack) {
  const std::string note = Bytes({0, 0x90, 60, 80, 0x60, 60, 0});
  const NoteSequence sequence = MustReadMidi(MidiFile({
      note, Bytes({0, 0xff, 0x03, 2, 'F', 0xfc}) + note,  // Latin-1 u umlaut
  }));
  ASSERT_EQ(sequence.instrument_infos_size(), 1);
  EXPECT_EQ(sequence.instrument_infos(0).instrument(), 1);
  EXPECT_EQ(sequence.instrument_infos(0).name(), "F\xc3\xbc");
}

TEST(MidiReaderTest, SkipsSystemExclusiveMessages) {
  const NoteSequence sequence = MustReadMidi(MidiFile({
      Bytes({0,    0xf0, 3,    0x43, 1, 0xf7, 0, 0x90, 60, 80,
             0x87, 0x40, 0xf7, 2,    1, 2,    0, 0x90, 60, 0}),
  }));
  ExpectNote(sequence, 0, 60, 80, 0.0, 1.0);
}

// 25 frames of 40 ticks: a tick is a millisecond, whatever the tempo events.
TEST(MidiReaderTest, ReadsSmpteTime) {
  const NoteSequence sequence =
      MustReadMidi(MidiFile({Bytes({0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0, 0x90,
                                    60, 80, 0x87, 0x68, 60, 0})},
                            (256 - 25) * 256 + 40));
  ExpectNote(sequence, 0, 60, 80, 0.0, 1.0);
  EXPECT_EQ(sequence.ticks_per_quarter(), 500);
  ASSERT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.tempos(0).qpm(), 120.0);
}

TEST(MidiReaderTest, MessageOnTheHeapAndOnAnArenaAreEqual) {
  const std::string file =
      MidiFile({Bytes({0, 0x90, 60, 80, 0, 0xb0, 64, 1, 0x60, 0x90, 60, 0})});
  google::protobuf::Arena arena;
  auto* sequence = google::protobuf::Arena::CreateMessage<NoteSequence>(&arena);
  sequence->set_id("cleared");
  ASSERT_TRUE(ReadMidi(file, sequence).ok());
  EXPECT_EQ(sequence->SerializeAsString(),
            MustReadMidi(file).SerializeAsString());
}

}  // namespace
}  // namespace continuo
