// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/fingerprint.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/family_music.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using testing::MakeMusic;

// The same music elsewhere: later, faster, in another key, on another
// instrument, with other lengths and velocities, notes in another order.
NoteSequence Disguised(const NoteSequence& music, int semitones) {
  NoteSequence copy;
  copy.set_id("other");
  copy.set_filename("other.abc");
  copy.add_tempos()->set_qpm(180);
  for (int i = music.notes_size() - 1; i >= 0; --i) {
    auto* note = copy.add_notes();
    *note = music.notes(i);
    note->set_pitch(note->pitch() + semitones);
    note->set_velocity(70);
    note->set_program(20);
    if (!note->is_drum()) note->set_instrument(3);
    note->set_start_time(note->start_time() / 1.5 + 1.234);
    note->set_end_time(note->start_time() + 0.05);
  }
  return copy;
}

Fingerprint DrumsOf(const NoteSequence& music) {
  return FingerprintDrums(music,
                          [](const auto& note) { return note.is_drum(); });
}

TEST(FingerprintTest, MelodiesAreKnownInAnyKeyTempoAndFile) {
  for (int number = 0; number < 20; ++number) {
    const NoteSequence music = MakeMusic(Family::kMelody, number);
    const Fingerprint one = FingerprintMelody(music);
    const Fingerprint other = FingerprintMelody(Disguised(music, 5));
    EXPECT_TRUE(one.has_notes() && one.has_sketch());
    EXPECT_EQ(one.notes, other.notes);
    EXPECT_EQ(one.sketch, other.sketch);
    const Fingerprint stranger =
        FingerprintMelody(MakeMusic(Family::kMelody, number + 1000));
    EXPECT_NE(one.notes, stranger.notes);
    EXPECT_LT(Resemblance(one, stranger), 0.2);
  }
}

TEST(FingerprintTest, DrumsAreKnownOnAnyInstrumentButNotInAnotherKey) {
  const NoteSequence music = MakeMusic(Family::kDrums, 1);
  EXPECT_EQ(DrumsOf(music).notes, DrumsOf(Disguised(music, 0)).notes);
  EXPECT_NE(DrumsOf(music).notes, DrumsOf(Disguised(music, 2)).notes);
  EXPECT_NE(DrumsOf(music).notes, DrumsOf(MakeMusic(Family::kDrums, 2)).notes);
}

TEST(FingerprintTest, PerformancesKeepTheirTime) {
  const NoteSequence music = MakeMusic(Family::kPerformance, 1);
  NoteSequence later = music;
  for (auto& note : *later.mutable_notes()) {
    note.set_pitch(note.pitch() - 3);
    note.set_start_time(note.start_time() + 2.017);
    note.set_end_time(note.end_time() + 2.017);
  }
  // A start in the middle between two steps may round either way.
  EXPECT_GT(
      Resemblance(FingerprintPerformance(music), FingerprintPerformance(later)),
      0.8);
  NoteSequence transposed = music;
  for (auto& note : *transposed.mutable_notes()) {
    note.set_pitch(note.pitch() + 2);
  }
  EXPECT_EQ(FingerprintPerformance(music).notes,
            FingerprintPerformance(transposed).notes);
  const Fingerprint faster = FingerprintPerformance(Disguised(music, 0));
  EXPECT_NE(FingerprintPerformance(music).notes, faster.notes);
}

// One note changed, in one bar of eight or more: most phrases are left.
TEST(FingerprintTest, VariantsResembleEachOther) {
  for (int number = 0; number < 10; ++number) {
    const NoteSequence music = MakeMusic(Family::kMelody, number);
    NoteSequence variant = music;
    auto* note = variant.mutable_notes(variant.notes_size() - 3);
    note->set_pitch(note->pitch() + 1);
    const Fingerprint one = FingerprintMelody(music);
    const Fingerprint other = FingerprintMelody(variant);
    EXPECT_NE(one.notes, other.notes);
    EXPECT_GT(Resemblance(one, other), 0.5);
  }
}

TEST(FingerprintTest, TooLittleMusicHasNone) {
  NoteSequence music;
  EXPECT_FALSE(FingerprintMelody(music).has_notes());
  for (int i = 0; i < kFewestNotes - 1; ++i) {
    auto* note = music.add_notes();
    note->set_pitch(60);
    note->set_start_time(i);
  }
  EXPECT_FALSE(FingerprintMelody(music).has_notes());
  EXPECT_FALSE(FingerprintPerformance(music).has_notes());
  EXPECT_EQ(Resemblance({}, {}), 0);
  music.add_notes()->set_start_time(1e300);  // damaged, but no reason to fail
  music.add_tempos()->set_qpm(0);
  EXPECT_TRUE(FingerprintMelody(music).has_notes());
}

}  // namespace
}  // namespace continuo
