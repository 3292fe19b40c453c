// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_conductor.h"

#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using Tempos = std::vector<std::tuple<uint32_t, uint32_t, int>>;

Tempos TemposOf(const MidiSong& song) {
  Tempos tempos;
  for (const MidiTempo& tempo : song.tempos) {
    tempos.emplace_back(tempo.tick, tempo.microseconds_per_quarter,
                        tempo.track);
  }
  return tempos;
}

MidiSong Song(std::vector<MidiTempo> tempos) {
  MidiSong song;
  song.tempos = std::move(tempos);
  return song;
}

TEST(MidiConductorTest, MagentaKeepsTheFirstTrack) {
  MidiSong song = Song({{0, 500000, 0}, {9, 400000, 0}, {0, 300000, 1}});
  song.meters = {{0, 3, 4, 2}};
  song.keys = {{0, 1, false, 1}, {5, 2, false, 2}};
  MidiFaults faults;
  ResolveMidiConductor(Reading::kMagenta, &song, &faults);
  EXPECT_EQ(TemposOf(song), (Tempos{{0, 500000, 0}, {9, 400000, 0}}));
  EXPECT_TRUE(song.meters.empty() && song.keys.empty());
  EXPECT_EQ(faults.Count(MidiFault::kTempoElsewhere), 1);
  EXPECT_EQ(faults.Count(MidiFault::kMeterElsewhere), 1);
  EXPECT_EQ(faults.Count(MidiFault::kKeyElsewhere), 2);
}

TEST(MidiConductorTest, StandardOrdersAllTracksByTick) {
  MidiSong song = Song({{0, 500000, 0}, {20, 400000, 0}, {10, 300000, 1}});
  MidiFaults faults;
  ResolveMidiConductor(Reading::kStandard, &song, &faults);
  EXPECT_EQ(TemposOf(song),
            (Tempos{{0, 500000, 0}, {10, 300000, 1}, {20, 400000, 0}}));
  EXPECT_EQ(faults.Count(MidiFault::kOverride), 0);
}

TEST(MidiConductorTest, OnOneTickTheLaterTrackCounts) {
  MidiSong song = Song({{0, 500000, 0}, {0, 400000, 1}, {0, 300000, 2}});
  MidiFaults faults;
  ResolveMidiConductor(Reading::kStandard, &song, &faults);
  EXPECT_EQ(TemposOf(song), (Tempos{{0, 300000, 2}}));
  EXPECT_EQ(faults.Count(MidiFault::kOverride), 2);
}

TEST(MidiConductorTest, RepetitionsInOtherTracksAreLeftOut) {
  MidiSong song = Song({{0, 500000, 0},
                        {8, 400000, 0},
                        {0, 500000, 1},
                        {8, 400000, 1},
                        {9, 400000, 2}});
  song.meters = {{0, 3, 4, 0}, {0, 3, 4, 1}, {4, 3, 8, 1}};
  song.keys = {{0, 1, false, 0}, {0, 1, true, 1}};
  MidiFaults faults;
  ResolveMidiConductor(Reading::kStandard, &song, &faults);
  EXPECT_EQ(TemposOf(song), (Tempos{{0, 500000, 0}, {8, 400000, 0}}));
  ASSERT_EQ(song.meters.size(), 2u);
  EXPECT_EQ(song.meters[1].denominator, 8);
  ASSERT_EQ(song.keys.size(), 1u);
  EXPECT_TRUE(song.keys[0].is_minor);
}

// What only the first track has stays as Magenta has it, repetitions too.
TEST(MidiConductorTest, TheFirstTrackAloneIsLeftAsItIs) {
  const std::vector<MidiTempo> tempos = {
      {0, 500000, 0}, {0, 500000, 0}, {7, 500000, 0}};
  MidiSong song = Song(tempos);
  MidiFaults faults;
  ResolveMidiConductor(Reading::kStandard, &song, &faults);
  EXPECT_EQ(TemposOf(song), TemposOf(Song(tempos)));
}

TEST(MidiConductorTest, ResetsToTheDefaults) {
  MidiSong song = Song({{0, 400000, 0}, {60, 300000, 1}});
  song.meters = {{0, 3, 4, 0}};
  ResetMidiConductor(1, 50, &song);
  EXPECT_EQ(TemposOf(song),
            (Tempos{{0, 400000, 0}, {50, 500000, 1}, {60, 300000, 1}}));
  ASSERT_EQ(song.meters.size(), 2u);
  EXPECT_EQ(song.meters[1].numerator, 4);
  // A track that says how it starts is left alone.
  ResetMidiConductor(1, 50, &song);
  EXPECT_EQ(song.tempos.size(), 3u);
  EXPECT_EQ(song.meters.size(), 2u);
  // And so is one with nothing but tempos ahead of it.
  ResetMidiConductor(2, 0, &song);
  EXPECT_EQ(song.tempos.size(), 3u);
}

}  // namespace
}  // namespace continuo
