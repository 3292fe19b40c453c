// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_scan.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

using ::continuo::testing::BigEndian;
using ::continuo::testing::Bytes;
using ::continuo::testing::EndOfTrack;
using ::continuo::testing::MidiTrack;

const uint8_t* Begin(const std::string& bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
const uint8_t* End(const std::string& bytes) {
  return Begin(bytes) + bytes.size();
}

MidiWalk Walk(const std::string& bytes, uint8_t running = 0) {
  return WalkMidiEvents(Begin(bytes), End(bytes), running);
}

TEST(MidiScanTest, ReadsNumbers) {
  const std::string bytes = Bytes({0x81, 0x00, 0x7f, 0x80});
  const uint8_t* p = Begin(bytes);
  uint64_t value = 0;
  ASSERT_TRUE(ReadMidiNumber(&p, End(bytes), &value));
  EXPECT_EQ(value, 128u);
  ASSERT_TRUE(ReadMidiNumber(&p, End(bytes), &value));
  EXPECT_EQ(value, 127u);
  EXPECT_FALSE(ReadMidiNumber(&p, End(bytes), &value));
}

TEST(MidiScanTest, FindsTrackHeaders) {
  const std::string bytes = "xMTr" + MidiTrack("ab") + "MTrk";
  EXPECT_EQ(FindMidiTrackHeader(Begin(bytes), End(bytes)) - Begin(bytes), 4);
  // One without room for its size is none.
  EXPECT_EQ(FindMidiTrackHeader(Begin(bytes) + 5, End(bytes)), End(bytes));
}

TEST(MidiScanTest, KnowsWhereChunksCanBegin) {
  const auto boundary = [](const std::string& bytes) {
    return IsMidiChunkBoundary(Begin(bytes), End(bytes));
  };
  EXPECT_TRUE(boundary(""));
  EXPECT_TRUE(boundary(MidiTrack("")));
  EXPECT_TRUE(boundary("XFIH" + BigEndian(2, 4) + "ab"));
  EXPECT_TRUE(boundary("XFIH" + BigEndian(2, 4) + "ab" + MidiTrack("")));
  // Notes in running status look like the name and size of a chunk.
  EXPECT_FALSE(boundary("XFIH" + BigEndian(2, 4) + "ab" + EndOfTrack()));
  EXPECT_FALSE(boundary("XFIH" + BigEndian(3, 4) + "ab"));
  EXPECT_FALSE(boundary(Bytes({0, 0x90, 60, 80, 0, 60, 0, 0})));
}

TEST(MidiScanTest, KnowsWholeTracks) {
  const auto whole = [](const std::string& bytes) {
    return IsWholeMidiTrack(Begin(bytes), End(bytes));
  };
  EXPECT_TRUE(whole(MidiTrack("ab")));
  EXPECT_TRUE(whole(MidiTrack("ab") + MidiTrack("")));
  EXPECT_FALSE(whole(MidiTrack("ab") + "c"));
  EXPECT_FALSE(whole("MTrk" + BigEndian(3, 4) + "ab"));
}

TEST(MidiScanTest, WalksToTheEndOfTheTrack) {
  const std::string bytes =
      Bytes({0, 0x90, 60,  80, 1,    60, 0, 0,    0xff, 1,
             2, 'a',  'b', 0,  0xc0, 5,  0, 0xf0, 1,    0xf7}) +
      EndOfTrack() + "xyz";
  const MidiWalk walk = Walk(bytes);
  EXPECT_EQ(walk.stop, MidiWalk::Stop::kEndOfTrack);
  EXPECT_EQ(End(bytes) - walk.p, 3);
  EXPECT_EQ(walk.num_events, 6);
  EXPECT_TRUE(walk.has_status);
}

TEST(MidiScanTest, StopsAtChunksAndLimits) {
  const std::string note = Bytes({0, 0x90, 60, 80});
  EXPECT_EQ(Walk(note).stop, MidiWalk::Stop::kLimit);
  EXPECT_EQ(Walk(note + MidiTrack("")).stop, MidiWalk::Stop::kTrackHeader);
  // Running status alone: as zeros and text may look like.
  const MidiWalk zeros = Walk(std::string(6, '\0'), 0x90);
  EXPECT_EQ(zeros.stop, MidiWalk::Stop::kLimit);
  EXPECT_FALSE(zeros.has_status);
}

TEST(MidiScanTest, StopsAtDamageBehindTheLastWholeEvent) {
  const std::string note = Bytes({0, 0x90, 60, 80});
  const std::string damages[] = {
      Bytes({0, 60, 200}),          // a data byte
      Bytes({0, 0xf9}),             // an undefined message
      Bytes({0, 0xff, 1, 9, 'a'}),  // a text that is too long
      Bytes({0, 0x90, 60}),         // half an event
      Bytes({0x80, 0x80, 0x80, 0x80, 0, 0x90, 60, 1}),  // a long number
      Bytes({0}),
  };
  for (const std::string& damage : damages) {
    const std::string bytes = note + damage;
    const MidiWalk walk = Walk(bytes);
    EXPECT_EQ(walk.stop, MidiWalk::Stop::kDamage);
    EXPECT_EQ(walk.p - Begin(bytes), 4);
    EXPECT_EQ(walk.num_events, 1);
  }
  EXPECT_EQ(Walk(Bytes({0, 60, 80})).stop, MidiWalk::Stop::kDamage);
}

}  // namespace
}  // namespace continuo
