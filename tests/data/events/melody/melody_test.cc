// SPDX-License-Identifier: Apache-2.0

#include "data/events/melody/melody.h"

#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using Events = std::vector<Event>;

Events Squash(Events events) {
  SquashEvents(48, 84, 0, absl::MakeSpan(events));
  return events;
}

TEST(MelodyTest, FromEventsRefusesValuesOutsideTheRange) {
  for (Event bad : {Event{-3}, Event{128}}) {
    const auto melody = MelodyFromEvents({60, bad});
    EXPECT_EQ(melody.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(melody.status().message().find("position 1"), std::string::npos);
  }
  EXPECT_TRUE(MelodyFromEvents({-2, 0, 127, -1}).ok());
  EXPECT_TRUE(MelodyFromEvents({}).ok());
}

TEST(MelodyTest, FromEventsDropsLeadingNoteOffs) {
  const auto melody = MelodyFromEvents({-1, -2, -1, 60, -1});
  ASSERT_TRUE(melody.ok());
  EXPECT_EQ(melody->events, (Events{-2, -2, -2, 60, -1}));
}

// Examples verified with Magenta.
TEST(MelodyTest, SquashFoldsOctaves) {
  EXPECT_EQ(Squash({61}), Events{60});
  EXPECT_EQ(Squash({84}), Events{60});
  EXPECT_EQ(Squash({47}), Events{71});
  EXPECT_EQ(Squash({100, 40}), (Events{76, 52}));
}

TEST(MelodyTest, SquashLeavesMelodiesWithoutNotes) {
  Events events = {-2, -1};
  EXPECT_EQ(SquashEvents(48, 84, 5, absl::MakeSpan(events)), 0);
  EXPECT_EQ(events, (Events{-2, -1}));
}

TEST(MelodyTest, TransposeUsesFloorModulo) {
  Events events = {0, 127, -1, -2, 60};
  TransposeEvents(-61, 48, 84, absl::MakeSpan(events));
  // -61: 48 + (-109 mod 12 = 11); 66 stays; -1: 48 + (-49 mod 12 = 11).
  EXPECT_EQ(events, (Events{59, 66, -1, -2, 59}));
}

TEST(MelodyTest, KeyOfNoNotesIsC) { EXPECT_EQ(MajorKey({-2, -1}), 0); }

TEST(MelodyTest, KeyTiesGoToTheLowest) {
  // C alone lies in C, Db, Eb, F, G, Ab and Bb major.
  EXPECT_EQ(MajorKey({60}), 0);
  EXPECT_EQ(MajorKey({61}), 1);
}

TEST(MelodyTest, SetLengthEndsASoundingNote) {
  Melody melody{.events = {60, -2}};
  SetMelodyLength(4, &melody);
  EXPECT_EQ(melody.events, (Events{60, -2, -1, -2}));
  SetMelodyLength(5, &melody);
  EXPECT_EQ(melody.events, (Events{60, -2, -1, -2, -2}));
  SetMelodyLength(1, &melody);
  EXPECT_EQ(melody.events, (Events{60}));
}

TEST(MelodyTest, ToSequenceOfSilenceHasNoLength) {
  const auto sequence = MelodyToSequence({.events = {-2, -2}});
  EXPECT_EQ(sequence.notes_size(), 0);
  EXPECT_EQ(sequence.total_time(), 0);
}

TEST(MelodyTest, ToSequenceHoldsNotesToTheNextEvent) {
  const auto sequence = MelodyToSequence(
      {.events = {60, -2, 62, -1, 64}, .start_step = 2}, {.start_time = 1});
  ASSERT_EQ(sequence.notes_size(), 3);
  EXPECT_DOUBLE_EQ(sequence.notes(0).start_time(), 1.25);
  EXPECT_DOUBLE_EQ(sequence.notes(0).end_time(), 1.5);
  EXPECT_DOUBLE_EQ(sequence.notes(1).end_time(), 1.625);
  EXPECT_DOUBLE_EQ(sequence.notes(2).end_time(), 1.875);
}

}  // namespace
}  // namespace continuo
