// SPDX-License-Identifier: Apache-2.0

// Damaged, truncated and hostile files: what is repaired, what is refused, and
// that neither reads out of bounds nor grows.

#include "data/notes/midi/midi_parser.h"

#include <string>

#include "absl/strings/match.h"
#include "data/notes/midi/midi_reader.h"
#include "gtest/gtest.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

using ::continuo::testing::BigEndian;
using ::continuo::testing::Bytes;
using ::continuo::testing::EndOfTrack;
using ::continuo::testing::MidiFile;
using ::continuo::testing::MidiHeader;
using ::continuo::testing::MidiTrack;

const std::string& Note() {
  static const auto& note =
      *new std::string(Bytes({0, 0x90, 60, 80, 0x60, 60, 0}));
  return note;
}

// The file is read with `notes` notes over a failure of Magenta that begins
// with `reason`.
void ExpectRepaired(const std::string& file, size_t notes,
                    const std::string& reason) {
  ReadReport report;
  const auto song = ParseMidi(file, {}, &report);
  ASSERT_TRUE(song.ok()) << song.status();
  EXPECT_EQ(song->notes.size(), notes);
  EXPECT_TRUE(absl::StartsWith(report.repair, reason)) << report.repair;
}

void ExpectRefused(const std::string& file, const std::string& reason) {
  ReadReport report;
  const auto song = ParseMidi(file, {}, &report);
  EXPECT_FALSE(song.ok());
  EXPECT_TRUE(absl::StartsWith(song.status().message(), reason))
      << song.status();
}

TEST(MidiParserTest, PassesOverMetaEventsWithoutMeaning) {
  const struct {
    std::string event;
    std::string reason;
  } cases[] = {
      {Bytes({0, 0xff, 0x59, 2, 8, 0}), "a wrong key signature"},
      {Bytes({0, 0xff, 0x59, 2, 0, 255}), "a wrong key signature"},
      {Bytes({0, 0xff, 0x59, 1, 0}), "a cut key signature"},
      {Bytes({0, 0xff, 0x58, 4, 0, 2, 24, 8}), "a wrong time signature"},
      {Bytes({0, 0xff, 0x58, 4, 4, 200, 24, 8}), "a wrong time signature"},
      {Bytes({0, 0xff, 0x58, 2, 4, 2}), "a cut time signature"},
      {Bytes({0, 0xff, 0x51, 3, 0, 0, 0}), "a tempo of zero"},
      {Bytes({0, 0xff, 0x51, 2, 7, 0xa1}), "a cut tempo event"},
      {Bytes({0, 0xff, 0x54, 5, 0, 0, 0, 0, 100}), "a wrong SMPTE offset"},
      {Bytes({0, 0xff, 0x00, 1, 0}), "a cut sequence number"},
      {Bytes({0, 0xff, 0x20, 0}), "a cut channel prefix"},
  };
  for (const auto& [event, reason] : cases) {
    SCOPED_TRACE(reason);
    ExpectRepaired(MidiFile({event + Note()}), 1, reason);
    const auto song = ParseMidi(MidiFile({event + Note()}));
    EXPECT_TRUE(song->tempos.empty() && song->meters.empty() &&
                song->keys.empty());
  }
}

TEST(MidiParserTest, SystemMessagesEndNothingByTheStandard) {
  // mido takes what follows for another system message.
  const std::string exclusive = Bytes(
      {0, 0x90, 60, 80, 0, 0xf0, 1, 0xf7, 0, 62, 80, 0x60, 60, 0, 0, 62, 0});
  ExpectRepaired(MidiFile({exclusive}), 2,
                 "the file or track ends inside an event");
  ExpectRepaired(MidiFile({Bytes({0, 0x90, 60, 80, 0, 0xf9, 0x60, 60, 0})}), 1,
                 "an undefined system message");
}

TEST(MidiParserTest, FindsTheNextTrackBehindTheEndOfTrackEvent) {
  const std::string events = Note() + EndOfTrack();
  const int size = static_cast<int>(events.size());
  for (const int claimed : {size + 2, size + 1000, size - 1, 0x7fffffff}) {
    SCOPED_TRACE(claimed);
    ExpectRepaired(MidiHeader(1, 2, 96) + "MTrk" + BigEndian(claimed, 4) +
                       events + MidiTrack(events),
                   2, "");
  }
  // A byte too much inside a track.
  ExpectRepaired(
      MidiHeader(1, 2, 96) + MidiTrack(events + "x") + MidiTrack(events), 2,
      "the file or track ends inside an event");
}

TEST(MidiParserTest, ReadsTheTracksThereAre) {
  const std::string track = MidiTrack(Note() + EndOfTrack());
  ExpectRepaired(MidiHeader(1, 3, 96) + track + track, 2,
                 "fewer tracks than the header counts: 2 of 3");
  ExpectRepaired(MidiHeader(1, 0, 96) + track + track, 2, "no tracks");
  ExpectRepaired(MidiHeader(1, 2, 96) + MidiTrack("") + track, 1,
                 "a track without events");
  ExpectRepaired(
      MidiHeader(1, 1, 96) + "Junk" + BigEndian(3, 4) + "abc" + track, 1,
      "no track chunk where one should begin");
  ExpectRefused(MidiHeader(1, 0, 96), "no tracks");
  ExpectRefused(MidiHeader(1, 2, 96), "fewer tracks");
  // Tracks beyond the header's count: Magenta does not read them.
  for (const Reading reading : {Reading::kStandard, Reading::kMagenta}) {
    ReadReport report;
    const auto song = ParseMidi(MidiHeader(1, 1, 96) + track + track,
                                {.reading = reading}, &report);
    ASSERT_TRUE(song.ok());
    EXPECT_EQ(song->notes.size(), reading == Reading::kStandard ? 2u : 1u);
    EXPECT_EQ(report.repair, "");
    EXPECT_EQ(report.warnings.size(), 1u);
  }
}

TEST(MidiParserTest, ReadsFilesInRiff) {
  const std::string file = MidiFile({Note()});
  const int size = static_cast<int>(file.size());
  const std::string little = {static_cast<char>(size), 0, 0, 0};
  const std::string riff = "RIFF" + Bytes({0, 0, 0, 0}) + "RMID" + "INFO" +
                           Bytes({1, 0, 0, 0}) + "x" + Bytes({0}) + "data" +
                           little + file;
  ExpectRepaired(riff, 1, "a RIFF container");
  // What is cut off is the end of the track, not the container's.
  ExpectRepaired(riff.substr(0, riff.size() - 1), 1, "a RIFF container");
  ExpectRefused(riff.substr(0, riff.size() - file.size()), "not a MIDI file");
  // Other containers, if they are no longer than a header.
  ExpectRepaired(std::string(128, '\0') + file, 1, "bytes in front of");
  ExpectRefused(std::string(5000, '\0') + file, "not a MIDI file");
}

TEST(MidiParserTest, RefusesWhatIsNoMidiFile) {
  ExpectRefused("", "an empty file");
  ExpectRefused("<html>", "not a MIDI file");
  ExpectRefused(std::string("MThd\0\0\0\6\0\1", 10), "the file ends inside");
  ExpectRefused(MidiFile({Note()}, 0), "a time division without meaning");
  // 26 frames per second; no ticks per frame.
  ExpectRefused(MidiFile({Note()}, 0xe628), "a time division without meaning");
  ExpectRefused(MidiFile({Note()}, 0xe700), "a time division without meaning");
}

TEST(MidiParserTest, RefusesDamageWithoutNotes) {
  ExpectRefused(MidiFile({Bytes({0, 60, 80})}),
                "running status without a status");
  ExpectRefused(MidiFile({Bytes({0, 0xff, 1, 99})}),
                "the file or track ends inside an event");
}

TEST(MidiParserTest, ReadsTracksOfFormat2InTurn) {
  const std::string file = MidiHeader(2, 3, 480) +
                           MidiTrack(Note() + EndOfTrack()) +
                           MidiTrack(Note() + Bytes({8, 0xff, 0x2f, 0})) +
                           MidiTrack(Note() + EndOfTrack());
  const auto song = ParseMidi(file);
  ASSERT_TRUE(song.ok());
  ASSERT_EQ(song->notes.size(), 3u);
  EXPECT_EQ(song->notes[0].start_tick, 0u);
  EXPECT_EQ(song->notes[1].start_tick, 0x60u);
  EXPECT_EQ(song->notes[2].start_tick, 2 * 0x60u + 8);
  const auto magenta = ParseMidi(file, {.reading = Reading::kMagenta});
  ASSERT_TRUE(magenta.ok());
  for (const MidiNote& note : magenta->notes) EXPECT_EQ(note.start_tick, 0u);
}

// A later track of format 2 that cannot begin where the one before it ends is
// no reason to refuse what Magenta reads.
TEST(MidiParserTest, KeepsMagentasReadingWhereTheStandardHasNone) {
  std::string far = Note();
  for (int i = 0; i < 15; ++i) {
    far += Bytes({0xc0, 0x80, 0x80, 0, 0xb0, 1, 1});
  }
  const std::string track = MidiTrack(far + EndOfTrack());
  ReadReport report;
  const auto song =
      ParseMidi(MidiHeader(2, 2, 480) + track + track, {}, &report);
  ASSERT_TRUE(song.ok()) << song.status();
  EXPECT_EQ(song->notes.size(), 2u);
  EXPECT_EQ(song->notes[1].start_tick, 0u);
  EXPECT_FALSE(report.warnings.empty());
}

TEST(MidiParserTest, EveryChangedByteIsHarmless) {
  const std::string file = MidiFile(
      {Bytes({0, 0xff, 0x51, 3, 7, 0xa1, 0x20, 0, 0xff, 0x58, 4, 4, 2, 24, 8}),
       Note() + Bytes({0, 0xf0, 2, 1, 0xf7, 0, 0xc0, 3, 0, 0xe0, 1, 2})});
  int read = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    for (const int byte : {0, 1, 0x7f, 0x80, 0xf0, 0xff}) {
      std::string changed = file;
      changed[i] = static_cast<char>(byte);
      read += ReadMidi(changed).ok();
      read += ReadMidi(changed, {.reading = Reading::kMagenta}).ok();
    }
  }
  EXPECT_GT(read, 0);
}

TEST(MidiParserTest, RefusesTimesBeyondTheLimit) {
  // 20 times 2^27 ticks.
  std::string events = Bytes({0, 0x90, 60, 80});
  for (int i = 0; i < 20; ++i) {
    events += Bytes({0xc0, 0x80, 0x80, 0, 0x90, 60, 80});
  }
  ExpectRefused(MidiFile({events}), "times beyond the limit");
  EXPECT_EQ(ParseMidi(MidiFile({events})).status().code(),
            absl::StatusCode::kOutOfRange);
  // A delta time of any length.
  ExpectRefused(
      MidiFile({std::string(1000, '\xff') + Bytes({0x7f, 0x90, 1, 1})}),
      "times beyond the limit");
  // Near the limit nothing is tabulated.
  std::string far = Bytes({0, 0x90, 60, 80});
  for (int i = 0; i < 15; ++i) {
    far += Bytes({0xc0, 0x80, 0x80, 0, 0xb0, 1, 1});
  }
  far += Bytes({0, 0x90, 60, 0});
  const auto sequence = ReadMidi(MidiFile({far}));
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_EQ(sequence->total_time(), 15.0 * (1 << 27) * (0.5 / 480));
}

TEST(MidiParserTest, LimitsWhatInstrumentsShare) {
  // 128 instruments share 20,000 controls: 2.5 million events from 60 kB.
  std::string events;
  for (int i = 0; i < 20000; ++i) events += Bytes({0, 0xb0, 1, 1});
  for (int program = 0; program < 128; ++program) {
    events += Bytes({0, 0xc0, program, 0, 0x90, 60, 80, 1, 0x90, 60, 0});
  }
  const auto sequence = ReadMidi(MidiFile({events}));
  EXPECT_EQ(sequence.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(
      absl::StartsWith(sequence.status().message(), "more events than"));
}

TEST(MidiParserTest, LimitsNamesOfInstruments) {
  // 128 instruments with a name of 200,000 bytes.
  std::string events = Bytes({0, 0xff, 3, 0x8c, 0x9a, 0x40});
  events += std::string(200000, 'n');
  for (int program = 0; program < 128; ++program) {
    events += Bytes({0, 0xc0, program, 0, 0x90, 60, 80, 1, 0x90, 60, 0});
  }
  const auto sequence = ReadMidi(MidiFile({events}));
  EXPECT_EQ(sequence.status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace continuo
