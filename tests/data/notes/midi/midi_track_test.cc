// SPDX-License-Identifier: Apache-2.0

// Tracks that do not end where they say, that are cut off, or that are damaged
// in the middle: all notes that are there, and no others.

#include "data/notes/midi/midi_track.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/notes/midi/midi_parser.h"
#include "gtest/gtest.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

using ::continuo::testing::BigEndian;
using ::continuo::testing::Bytes;
using ::continuo::testing::EndOfTrack;
using ::continuo::testing::MidiFile;
using ::continuo::testing::MidiHeader;

constexpr int kTicks = 96;  // of a note; no gaps between notes

std::string Notes(int first, int count, int velocity = 80) {
  std::string events;
  for (int pitch = first; pitch < first + count; ++pitch) {
    events += Bytes({0, 0x90, pitch, velocity, kTicks, 0x80, pitch, 64});
  }
  return events;
}

std::string Chunk(const std::string& events, int64_t size) {
  return "MTrk" + BigEndian(static_cast<int>(size), 4) + events;
}

struct Parsed {
  MidiSong song;
  ReadReport report;
};

Parsed MustParse(const std::string& file, Reading reading) {
  Parsed parsed;
  auto song = ParseMidi(file, {.reading = reading}, &parsed.report);
  EXPECT_TRUE(song.ok()) << song.status();
  if (song.ok()) parsed.song = *std::move(song);
  return parsed;
}

bool Warns(const Parsed& parsed, MidiFault fault) {
  return parsed.report.warnings.count(std::string(MidiFaultText(fault))) > 0;
}

// Whatever one track of three claims its size to be, with its end-of-track
// event or without, every note is read, unless Magenta reads the file and is
// asked for.
TEST(MidiTrackTest, NoClaimedSizeCostsANote) {
  for (const bool has_end : {true, false}) {
    std::vector<std::string> tracks = {Notes(40, 2), Notes(60, 4),
                                       Notes(80, 3)};
    for (std::string& events : tracks) {
      if (has_end) events += EndOfTrack();
    }
    for (size_t wrong = 0; wrong < tracks.size(); ++wrong) {
      const auto right = static_cast<int64_t>(tracks[wrong].size());
      for (int64_t size = 0; size < right + 60; ++size) {
        SCOPED_TRACE(::testing::Message()
                     << "track " << wrong << ", size " << size << " of "
                     << right << (has_end ? "" : ", without end"));
        std::string file = MidiHeader(1, 3, 96);
        for (size_t i = 0; i < tracks.size(); ++i) {
          file +=
              Chunk(tracks[i],
                    i == wrong ? size : static_cast<int64_t>(tracks[i].size()));
        }
        EXPECT_EQ(MustParse(file, Reading::kStandard).song.notes.size(), 9u);
        const Parsed magenta = MustParse(file, Reading::kMagenta);
        if (magenta.report.repair.empty()) {
          EXPECT_LE(magenta.song.notes.size(), 9u);
        } else {
          EXPECT_EQ(magenta.song.notes.size(), 9u);
        }
      }
    }
  }
}

TEST(MidiTrackTest, WhatIsNoMusicBehindATrackIsNotRead) {
  const std::string notes = Notes(60, 3);
  const auto size = static_cast<int64_t>(notes.size());
  // The last status is a note-off; the text behind a note-on would sound.
  const std::string open = notes + Bytes({0, 0x90, 70, 80, 48, 70, 0});
  for (const std::string& junk :
       {std::string("Sequenced by A. Person"), std::string(64, '\0'),
        std::string("0 1 2 3")}) {
    SCOPED_TRACE(junk);
    const std::string head = MidiHeader(0, 1, 96);
    const auto open_size = static_cast<int64_t>(open.size());
    EXPECT_EQ(MustParse(head + Chunk(notes, size) + junk, Reading::kStandard)
                  .song.notes.size(),
              3u);
    EXPECT_EQ(
        MustParse(head + Chunk(open, open_size) + junk, Reading::kStandard)
            .song.notes.size(),
        4u);
  }
}

// Events behind the end-of-track event, in a chunk whose size is right, are
// notes to Magenta, whichever rules read the rest.
TEST(MidiTrackTest, ReadsOnBehindTheEndEventWithinTheChunk) {
  const std::string track = EndOfTrack() + Notes(60, 2) + EndOfTrack();
  const std::string bad_key = Bytes({0, 0xff, 0x59, 2, 9, 9});
  EXPECT_EQ(MustParse(MidiFile({track}), Reading::kMagenta).song.notes.size(),
            2u);
  const Parsed parsed =
      MustParse(MidiFile({bad_key + track, track}), Reading::kStandard);
  EXPECT_EQ(parsed.song.notes.size(), 4u);
  const Parsed junk = MustParse(
      MidiFile({bad_key + track + Bytes({0, 0xf9, 7})}), Reading::kStandard);
  EXPECT_EQ(junk.song.notes.size(), 2u);
  EXPECT_TRUE(Warns(junk, MidiFault::kBehindEnd));
}

// Of a file that ends anywhere, all complete notes are kept as they are, and
// one that is open ends where the file does.
TEST(MidiTrackTest, EveryCutKeepsTheNotesAheadOfIt) {
  const std::string file = MidiFile(
      {Bytes({0, 0xff, 0x51, 3, 7, 0xa1, 0x20, 0, 0xff, 3, 2, 'a'}) + "b",
       Notes(60, 2) + Bytes({0, 0xf0, 2, 1, 0xf7, 0, 0xc0, 3})});
  const size_t begin = file.find(Bytes({0, 0x90, 60}));
  ASSERT_EQ(MustParse(file, Reading::kStandard).song.notes.size(), 2u);
  for (size_t size = 0; size < file.size(); ++size) {
    SCOPED_TRACE(size);
    // A copy of that size, so that reading behind it is seen by a sanitizer.
    const std::string cut(file.data(), size);
    ReadReport report;
    const auto song = ParseMidi(cut, {}, &report);
    const size_t complete = size < begin + 8 ? 0 : size < begin + 16 ? 1 : 2;
    if (complete == 0) {
      // A whole first track passes; so does a note whose end's time is there.
      EXPECT_TRUE(!song.ok() || song->notes.empty() || size >= begin + 5);
      continue;
    }
    ASSERT_TRUE(song.ok()) << song.status();
    ASSERT_GE(song->notes.size(), complete);
    for (size_t i = 0; i < song->notes.size(); ++i) {
      EXPECT_EQ(song->notes[i].start_tick, i * kTicks);
      EXPECT_EQ(song->notes[i].end_tick, (i + 1) * kTicks);
    }
    EXPECT_FALSE(report.repair.empty());
    EXPECT_FALSE(report.warnings.empty());
  }
}

TEST(MidiTrackTest, DataBytesOutOfRangeCostTheirEventAtMost) {
  const struct {
    std::string event;
    MidiFault fault;
  } cases[] = {
      {Bytes({0, 0xb0, 7, 255}), MidiFault::kDataByte},
      {Bytes({0, 0xb0, 200, 1}), MidiFault::kDataByte},
      {Bytes({0, 0xc0, 255}), MidiFault::kDataByte},
      {Bytes({0, 0xd0, 128}), MidiFault::kDataByte},
      {Bytes({0, 0xa0, 60, 255}), MidiFault::kDataByte},
      {Bytes({0, 0xe0, 0, 255}), MidiFault::kDataByte},
      {Bytes({0, 0x80, 200, 0}), MidiFault::kDataByte},
      {Bytes({0, 0x90, 200, 0}), MidiFault::kDataByte},
      {Bytes({0, 0x90, 200, 80}), MidiFault::kPitch},
      {Bytes({0, 0x80, 20, 200}), MidiFault::kVelocity},
  };
  for (const Reading reading : {Reading::kStandard, Reading::kMagenta}) {
    for (const auto& [event, fault] : cases) {
      SCOPED_TRACE(MidiFaultText(fault));
      const Parsed parsed =
          MustParse(MidiFile({Notes(60, 2) + event + Notes(70, 2)}), reading);
      EXPECT_EQ(parsed.song.notes.size(), 4u);
      EXPECT_TRUE(parsed.song.controls.empty() && parsed.song.bends.empty());
      EXPECT_TRUE(absl::StartsWith(parsed.report.repair, "a data byte out of"));
      ASSERT_EQ(parsed.report.warnings.size(), 1u);
      EXPECT_TRUE(Warns(parsed, fault));
    }
  }
}

TEST(MidiTrackTest, VelocitiesAreClipped) {
  const Parsed parsed =
      MustParse(MidiFile({Notes(20, 100, 200)}), Reading::kStandard);
  ASSERT_EQ(parsed.song.notes.size(), 100u);
  for (const MidiNote& note : parsed.song.notes) EXPECT_EQ(note.velocity, 127);
}

// Single bytes that changed in an otherwise whole track.
TEST(MidiTrackTest, FlippedBitsFarApartCostOneEventEach) {
  std::string events;
  for (int i = 0; i < 60; ++i) {
    events += Notes(60, 20);
    events += i % 2 == 0 ? Bytes({0, 0xb0, 7, 200}) : Bytes({0, 0xf5});
  }
  const Parsed parsed = MustParse(MidiFile({events}), Reading::kStandard);
  EXPECT_EQ(parsed.song.notes.size(), 1200u);
  EXPECT_FALSE(Warns(parsed, MidiFault::kDamagedTrack));
}

// Bytes that are no events end a track where they begin, and what they look
// like is not kept.
TEST(MidiTrackTest, NoiseEndsItsTrack) {
  // Velocities and statuses out of range, then no status.
  const std::string noise =
      Bytes({0,    0x90, 1,   200, 0,    0x90, 2,    210, 3, 0xf5, 0,
             0xb0, 255,  255, 0,   0xff, 0x20, 0x7f, 1,   2, 3});
  const std::string file =
      MidiFile({Notes(60, 8) + Bytes({0, 0x90, 90, 80, 7, 0x91, 1, 1}) + noise,
                Notes(40, 3)});
  const Parsed parsed = MustParse(file, Reading::kStandard);
  ASSERT_EQ(parsed.song.notes.size(), 12u);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(parsed.song.notes[i].pitch, 60 + static_cast<int>(i));
  }
  EXPECT_EQ(parsed.song.notes[8].pitch, 90);  // open at the damage
  EXPECT_EQ(parsed.song.notes[8].end_tick, 8u * kTicks + 7);
  EXPECT_EQ(parsed.song.notes[9].pitch, 40);
  EXPECT_TRUE(Warns(parsed, MidiFault::kDamagedTrack));
  EXPECT_TRUE(Warns(parsed, MidiFault::kCutNote));
  EXPECT_FALSE(Warns(parsed, MidiFault::kVelocity));
  EXPECT_TRUE(parsed.song.controls.empty());
}

TEST(MidiTrackTest, DamageAheadOfTheNotesCostsNone) {
  // A text that is one byte shorter than it says.
  const std::string text = Bytes({0, 0xff, 1, 5, 't', 'e', 'x', 't'});
  const Parsed parsed = MustParse(
      MidiFile({text +
                    Bytes({0, 0xff, 1, 1, 'a', 0, 0xff, 0x51, 3, 15, 66, 64}) +
                    Notes(60, 4),
                Notes(40, 3)}),
      Reading::kStandard);
  ASSERT_EQ(parsed.song.notes.size(), 7u);
  EXPECT_EQ(parsed.song.notes[0].start_tick, 0u);
  ASSERT_EQ(parsed.song.tempos.size(), 1u);
  EXPECT_EQ(parsed.song.tempos[0].microseconds_per_quarter, 1000000u);
  EXPECT_TRUE(Warns(parsed, MidiFault::kDamagedFront));
}

// What would be a piece of its first bytes is refused.
TEST(MidiTrackTest, TheSmallerPartOfADamagedFileIsRefused) {
  std::string noise;
  for (int i = 0; i < 400; ++i) {
    noise += Bytes({0, 0xf5, 0, 0x90 + i % 16, 128 + i % 100, 200});
  }
  const auto song = ParseMidi(MidiFile({Notes(60, 4) + noise}));
  EXPECT_EQ(song.status().code(), absl::StatusCode::kInvalidArgument)
      << song.status();
}

// Tracks each of which needs a look ahead over all that follow.
TEST(MidiTrackTest, LooksAheadInLinearTime) {
  std::string file = MidiHeader(1, 0x7fff, 96);
  for (int i = 0; i < 30000; ++i) {
    // Behind the claimed end, running status over the next header and on.
    file += Chunk(Bytes({0, 0x90, 60, 80, 1, 2}), 4);
  }
  file += Bytes({0, 0xff});
  EXPECT_TRUE(ParseMidi(file).ok());
  // Damage that each of the bytes behind it might end.
  std::string texts = Bytes({0, 0xff, 1, 0xff, 0x7f});
  for (int i = 0; i < 200000; ++i) texts += Bytes({0, 0xff, 1, 0});
  EXPECT_FALSE(ParseMidi(MidiHeader(0, 1, 96) + Chunk(texts, 1 << 20)).ok());
}

}  // namespace
}  // namespace continuo
