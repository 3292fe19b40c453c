// SPDX-License-Identifier: Apache-2.0

// The writer beyond the golden files: bytes of a small sequence, names,
// channels, and what MIDI cannot hold.

#include "data/notes/midi/midi_writer.h"

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "data/notes/midi/midi_reader.h"
#include "gtest/gtest.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

using ::continuo::testing::Bytes;
using ::continuo::testing::MidiHeader;
using ::continuo::testing::MidiTrack;
using ::tensorflow::magenta::NoteSequence;

void AddNote(NoteSequence* sequence, int pitch, double start, double end,
             int instrument = 0, int program = 0, bool is_drum = false) {
  NoteSequence::Note* note = sequence->add_notes();
  note->set_pitch(pitch);
  note->set_velocity(100);
  note->set_start_time(start);
  note->set_end_time(end);
  note->set_instrument(instrument);
  note->set_program(program);
  note->set_is_drum(is_drum);
}

// 220 ticks per quarter, 120 quarters per minute, 4/4: all from nothing.
std::string TimingTrack() {
  return MidiTrack(Bytes({0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20,  //
                          0, 0xff, 0x58, 4, 4, 2, 24, 8,       //
                          1, 0xff, 0x2f, 0}));
}

TEST(MidiWriterTest, WritesANoteWithDefaults) {
  NoteSequence sequence;
  AddNote(&sequence, 60, 0.0, 0.5);
  AddNote(&sequence, 60, 0.5, 1.0);  // its start comes behind the other's end
  const auto file = WriteMidi(sequence);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file, MidiHeader(1, 2, 220) + TimingTrack() +
                       MidiTrack(Bytes({0,    0xc0, 0,    0, 0x90, 60, 100,  //
                                        0x81, 0x5c, 60,   0, 0,    60, 100,
                                        0x81, 0x5c, 60,   0,  //
                                        1,    0xff, 0x2f, 0})));
}

TEST(MidiWriterTest, WritesNothingAsAnEmptyInstrument) {
  const auto file = WriteMidi(NoteSequence());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file, MidiHeader(1, 2, 220) + TimingTrack() +
                       MidiTrack(Bytes({0, 0xc0, 0, 1, 0xff, 0x2f, 0})));
}

TEST(MidiWriterTest, PutsDrumsIntoATrackOfTheirOwn) {
  NoteSequence sequence;
  AddNote(&sequence, 36, 0.0, 0.5, 9, 0, true);
  const auto file = WriteMidi(sequence);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(
      *file,
      MidiHeader(1, 3, 220) + TimingTrack() +
          MidiTrack(Bytes({0, 0xc0, 0, 1, 0xff, 0x2f, 0})) +
          MidiTrack(Bytes({0,    0xff, 3,  5, 'D',  'r',  'u',  'm', 's',  //
                           0,    0xc9, 0,  0, 0x99, 36,   100,             //
                           0x81, 0x5c, 36, 0, 1,    0xff, 0x2f, 0})));
}

TEST(MidiWriterTest, ChannelsSkipTheDrumsAndBeginAgain) {
  NoteSequence sequence;
  for (int i = 0; i < 17; ++i) AddNote(&sequence, 60, 0, 1, i, i);
  const auto file = WriteMidi(sequence);
  ASSERT_TRUE(file.ok()) << file.status();
  // Program changes: status 0xc0 | channel, program i.
  for (int i = 0; i < 17; ++i) {
    const int channel = i % 15 + (i % 15 >= 9 ? 1 : 0);
    EXPECT_TRUE(absl::StrContains(*file, Bytes({0, 0xc0 | channel, i, 0})))
        << i;
  }
  EXPECT_TRUE(absl::StrContains(*file, "Bright Acoustic Piano"));
  // The first instrument has no name of its own.
  EXPECT_FALSE(absl::StrContains(*file, "Acoustic Grand Piano"));
}

TEST(MidiWriterTest, OrdersEventsWithinATick) {
  NoteSequence sequence;
  AddNote(&sequence, 62, 0.0, 0.5);
  AddNote(&sequence, 60, 0.0, 0.5);
  auto* control = sequence.add_control_changes();
  control->set_control_number(64);
  control->set_control_value(127);
  sequence.add_pitch_bends()->set_bend(-8192);
  const auto file = WriteMidi(sequence);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(absl::StrContains(
      *file, Bytes({0, 0xc0, 0, 0, 0xe0, 0, 0, 0, 0xb0, 64, 127,  //
                    0, 0x90, 60, 100, 0, 62, 100})));
}

TEST(MidiWriterTest, KeepsAllNotesOfInstrumentZero) {
  NoteSequence sequence;
  AddNote(&sequence, 60, 0, 1, 0, 0);
  AddNote(&sequence, 62, 0, 1, 0, 40);
  const auto file = WriteMidi(sequence);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto again = ReadMidi(*file);
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(again->notes_size(), 2);
  EXPECT_EQ(again->notes(1).program(), 40);
}

TEST(MidiWriterTest, WritesNamesInLatin1) {
  NoteSequence sequence;
  AddNote(&sequence, 60, 0, 1);
  sequence.add_instrument_infos()->set_name("F\xc3\xbc \xe2\x99\xad!");
  const auto file = WriteMidi(sequence);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(absl::StrContains(
      *file, Bytes({0, 0xff, 3, 5, 'F', 0xfc, ' ', '?', '!', 0, 0xc0, 0})));
}

TEST(MidiWriterTest, PutsTextsInFront) {
  const auto file = WriteMidi(NoteSequence(), {"seed 7"});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(absl::StrContains(
      *file, Bytes({0, 0xff, 1, 6}) + "seed 7" + Bytes({0, 0xff, 0x51, 3})));
}

TEST(MidiWriterTest, TemposMayComeInAnyOrder) {
  NoteSequence ordered;
  NoteSequence shuffled;
  for (const double time : {0.0, 1.0, 2.5}) {
    auto* tempo = ordered.add_tempos();
    tempo->set_time(time);
    tempo->set_qpm(100 + 20 * time);
  }
  for (const int i : {2, 0, 1}) *shuffled.add_tempos() = ordered.tempos(i);
  AddNote(&ordered, 60, 0.3, 3.1);
  AddNote(&shuffled, 60, 0.3, 3.1);
  const auto expected = WriteMidi(ordered);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(*expected, *WriteMidi(shuffled));
}

// `change` makes a sequence that cannot be written, for a reason that names
// `field`.
template <typename Change>
void ExpectRefused(const std::string& field, Change change) {
  NoteSequence sequence;
  AddNote(&sequence, 60, 0, 1);
  ASSERT_TRUE(WriteMidi(sequence).ok());
  change(&sequence);
  const auto file = WriteMidi(sequence);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(file.status().message(), field))
      << file.status();
}

TEST(MidiWriterTest, RefusesWhatMidiCannotHold) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ExpectRefused("note.pitch 128",
                [](auto* s) { s->mutable_notes(0)->set_pitch(128); });
  ExpectRefused("note.velocity -1",
                [](auto* s) { s->mutable_notes(0)->set_velocity(-1); });
  ExpectRefused("note.end_time",
                [&](auto* s) { s->mutable_notes(0)->set_end_time(nan); });
  ExpectRefused("later than tick",
                [](auto* s) { s->mutable_notes(0)->set_end_time(1e9); });
  ExpectRefused("a gap of more than",
                [](auto* s) { s->mutable_notes(0)->set_end_time(3e6); });
  ExpectRefused("program 128",
                [](auto* s) { s->mutable_notes(0)->set_program(128); });
  ExpectRefused("ticks_per_quarter 40000",
                [](auto* s) { s->set_ticks_per_quarter(40000); });
  ExpectRefused("a tempo of 0", [](auto* s) { s->add_tempos(); });
  ExpectRefused("a tempo of 3 quarters",
                [](auto* s) { s->add_tempos()->set_qpm(3); });
  ExpectRefused("a tempo of inf", [](auto* s) {
    s->add_tempos()->set_qpm(std::numeric_limits<double>::infinity());
  });
  ExpectRefused("time_signature.denominator 6", [](auto* s) {
    s->add_time_signatures()->set_numerator(4);
    s->mutable_time_signatures(0)->set_denominator(6);
  });
  ExpectRefused("time_signature.numerator 0",
                [](auto* s) { s->add_time_signatures()->set_denominator(4); });
  ExpectRefused("pitch_bend.bend 8192",
                [](auto* s) { s->add_pitch_bends()->set_bend(8192); });
  ExpectRefused("control_change.control_value 200", [](auto* s) {
    s->add_control_changes()->set_control_value(200);
  });
}

}  // namespace
}  // namespace continuo
