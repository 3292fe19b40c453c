// SPDX-License-Identifier: Apache-2.0

// Edges of melody extraction: each limit just inside and just outside.

#include "data/events/melody/melody_extract.h"

#include <vector>

#include "data/notes/quantize.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

using Events = std::vector<Event>;

struct Note {
  int64_t start;
  int64_t end;
  int pitch = 60;
  int velocity = 100;
  bool is_drum = false;
  int instrument = 0;
};

NoteSequence Quantized(const std::vector<Note>& notes, int numerator = 4,
                       int denominator = 4) {
  NoteSequence sequence;
  auto* metre = sequence.add_time_signatures();
  metre->set_numerator(numerator);
  metre->set_denominator(denominator);
  sequence.mutable_quantization_info()->set_steps_per_quarter(4);
  for (const Note& note : notes) {
    auto* out = sequence.add_notes();
    out->set_quantized_start_step(note.start);
    out->set_quantized_end_step(note.end);
    out->set_pitch(note.pitch);
    out->set_velocity(note.velocity);
    out->set_is_drum(note.is_drum);
    out->set_instrument(note.instrument);
  }
  return sequence;
}

// Consecutive notes of `step` steps over the first `pitches` of C major.
std::vector<Note> Scale(int64_t begin, int64_t end, int step, int pitches = 5) {
  const int scale[] = {60, 62, 64, 65, 67, 69, 71};
  std::vector<Note> notes;
  for (int64_t at = begin; at < end; at += step) {
    notes.push_back({at, std::min(at + step, end),
                     scale[notes.size() % static_cast<size_t>(pitches)]});
  }
  return notes;
}

MelodyExtraction Extract(const NoteSequence& sequence,
                         const MelodyExtractOptions& options) {
  auto extraction = ExtractMelodies(sequence, options);
  EXPECT_TRUE(extraction.ok()) << extraction.status();
  return *std::move(extraction);
}

MelodyExtraction Train(const std::vector<Note>& notes) {
  return Extract(Quantized(notes), TrainingMelodyOptions());
}

Events Prime(const std::vector<Note>& notes) {
  const auto extraction = Extract(Quantized(notes), PrimingMelodyOptions());
  EXPECT_LE(extraction.melodies.size(), 1u);
  return extraction.melodies.empty() ? Events{} : extraction.melodies[0].events;
}

TEST(MelodyExtractTest, SevenBarsAreEnough) {
  EXPECT_EQ(Train(Scale(0, 112, 4)).melodies.size(), 1u);
  const auto shorter = Train(Scale(0, 111, 4));
  EXPECT_TRUE(shorter.melodies.empty());
  EXPECT_EQ(shorter.melodies_discarded_too_short, 1);
}

TEST(MelodyExtractTest, FivePitchClassesAreEnough) {
  EXPECT_EQ(Train(Scale(0, 128, 4, 5)).melodies.size(), 1u);
  const auto fewer = Train(Scale(0, 128, 4, 4));
  EXPECT_TRUE(fewer.melodies.empty());
  EXPECT_EQ(fewer.melodies_discarded_too_few_pitches, 1);
}

TEST(MelodyExtractTest, OctavesAreOnePitchClass) {
  std::vector<Note> notes = Scale(0, 128, 4, 4);
  notes[1].pitch += 12;
  notes[5].pitch -= 12;
  EXPECT_EQ(Train(notes).melodies_discarded_too_few_pitches, 1);
}

TEST(MelodyExtractTest, TruncatesAt512Steps) {
  EXPECT_EQ(Train(Scale(0, 512, 4)).melodies_truncated, 0);
  const auto longer = Train(Scale(0, 516, 4));
  EXPECT_EQ(longer.melodies_truncated, 1);
  ASSERT_EQ(longer.melodies.size(), 1u);
  EXPECT_EQ(longer.melodies[0].events.size(), 512u);
  EXPECT_EQ(longer.lengths_in_bars, std::vector<int64_t>{32});
}

TEST(MelodyExtractTest, PitchesAreCountedAfterTruncation) {
  std::vector<Note> notes = Scale(0, 512, 4, 4);
  notes.push_back({512, 516, 67});
  EXPECT_EQ(Train(notes).melodies_discarded_too_few_pitches, 1);
  notes = Scale(0, 512, 4, 4);
  notes.back().pitch = 67;
  EXPECT_EQ(Train(notes).melodies.size(), 1u);
}

TEST(MelodyExtractTest, ABarOfSilenceEndsAMelody) {
  std::vector<Note> notes = Scale(0, 112, 4);
  for (const Note& note : Scale(128, 240, 4)) notes.push_back(note);
  const auto two = Train(notes);
  ASSERT_EQ(two.melodies.size(), 2u);
  EXPECT_EQ(two.melodies[0].end_step(), 112);
  EXPECT_EQ(two.melodies[1].start_step, 128);

  notes = Scale(0, 113, 4);  // one step less of silence
  for (const Note& note : Scale(128, 240, 4)) notes.push_back(note);
  const auto one = Train(notes);
  ASSERT_EQ(one.melodies.size(), 1u);
  EXPECT_EQ(one.melodies[0].end_step(), 240);
}

TEST(MelodyExtractTest, StartsAtTheBarOfTheFirstNote) {
  const auto extraction = Train(Scale(37, 160, 4));
  ASSERT_EQ(extraction.melodies.size(), 1u);
  EXPECT_EQ(extraction.melodies[0].start_step, 32);
  EXPECT_EQ(extraction.melodies[0].events[4], kMelodyNoEvent);
  EXPECT_EQ(extraction.melodies[0].events[5], 60);
}

TEST(MelodyExtractTest, SearchStartMovesTheBarLines) {
  MelodyExtractOptions options = PrimingMelodyOptions();
  options.search_start_step = 3;
  const auto extraction =
      Extract(Quantized({{0, 2, 50}, {22, 23, 60}}), options);
  ASSERT_EQ(extraction.melodies.size(), 1u);
  EXPECT_EQ(extraction.melodies[0].start_step, 19);
  EXPECT_EQ(extraction.melodies[0].events, (Events{-2, -2, -2, 60}));
}

TEST(MelodyExtractTest, PolyphonyDropsTheTrackButNotEarlierMelodies) {
  std::vector<Note> notes = Scale(0, 112, 4);
  for (const Note& note : Scale(144, 288, 4)) notes.push_back(note);
  notes.push_back({200, 202, 72});
  const auto extraction = Train(notes);
  EXPECT_EQ(extraction.polyphonic_tracks_discarded, 1);
  ASSERT_EQ(extraction.melodies.size(), 1u);
  EXPECT_EQ(extraction.melodies[0].start_step, 0);
}

TEST(MelodyExtractTest, OtherInstrumentsSurviveAPolyphonicOne) {
  std::vector<Note> notes = {{0, 4, 60}, {0, 4, 64}};
  for (Note note : Scale(0, 112, 4)) {
    note.instrument = 3;
    notes.push_back(note);
  }
  const auto extraction = Train(notes);
  EXPECT_EQ(extraction.polyphonic_tracks_discarded, 1);
  EXPECT_EQ(extraction.melodies.size(), 1u);
}

TEST(MelodyExtractTest, IgnoringPolyphonyKeepsTheHighestNote) {
  EXPECT_EQ(Prime({{0, 4, 60}, {0, 2, 67}, {0, 1, 64}, {4, 5, 62}}),
            (Events{67, -2, -1, -2, 62}));
}

TEST(MelodyExtractTest, OverlappingNotesAreCut) {
  // The second note ends before the first would have: the melody shrinks.
  EXPECT_EQ(Prime({{0, 10, 60}, {2, 4, 62}}), (Events{60, -2, 62, -2}));
  EXPECT_EQ(Prime({{0, 10, 60}, {2, 4, 62}, {6, 7, 64}}),
            (Events{60, -2, 62, -2, -1, -2, 64}));
}

TEST(MelodyExtractTest, RepeatedPitchesStayTwoNotes) {
  EXPECT_EQ(Prime({{0, 2, 60}, {2, 3, 60}}), (Events{60, -2, 60}));
}

TEST(MelodyExtractTest, DrumsAndSilentNotesAreIgnoredButSetTheBar) {
  EXPECT_EQ(Prime({{0, 1, 60, 0}, {17, 18, 62}}).size(), 18u);
  EXPECT_EQ(Prime({{0, 1, 36, 100, true}, {17, 18, 62}}).size(), 18u);
  EXPECT_TRUE(Prime({{0, 1, 36, 100, true}}).empty());
  EXPECT_TRUE(Prime({{0, 1, 60, 0}}).empty());
  // A silent note makes no polyphony.
  EXPECT_EQ(Train({{0, 1, 60, 0}, {0, 1, 62}}).polyphonic_tracks_discarded, 0);
}

TEST(MelodyExtractTest, NotesWithoutLengthAreIgnored) {
  EXPECT_EQ(Prime({{0, 0, 60}, {1, 2, 62}}), (Events{-2, 62}));
}

TEST(MelodyExtractTest, NonIntegerBarsAreSkipped) {
  const auto odd =
      Extract(Quantized(Scale(0, 200, 4), 3, 32), TrainingMelodyOptions());
  EXPECT_TRUE(odd.non_integer_steps_per_bar);
  EXPECT_TRUE(odd.melodies.empty());
  // Without notes there is nothing to skip.
  EXPECT_FALSE(Extract(Quantized({}, 3, 32), TrainingMelodyOptions())
                   .non_integer_steps_per_bar);
}

TEST(MelodyExtractTest, BarsFollowTheMetre) {
  // 3/4: 12 steps a bar, so 84 steps are seven bars.
  EXPECT_EQ(Extract(Quantized(Scale(0, 84, 4), 3, 4), TrainingMelodyOptions())
                .melodies.size(),
            1u);
  EXPECT_EQ(Extract(Quantized(Scale(0, 83, 4), 3, 4), TrainingMelodyOptions())
                .melodies_discarded_too_short,
            1);
}

TEST(MelodyExtractTest, HostileLengthsCostNoMemory) {
  const std::vector<Note> notes = {{0, kMaxQuantizedStep, 60}};
  EXPECT_EQ(Train(notes).melodies_truncated, 1);
  EXPECT_EQ(
      ExtractMelodies(Quantized(notes), PrimingMelodyOptions()).status().code(),
      absl::StatusCode::kResourceExhausted);
}

TEST(MelodyExtractTest, TooLongIsOnlyDroppedOnRequest) {
  MelodyExtractOptions options = TrainingMelodyOptions();
  options.max_steps_discard = 120;
  EXPECT_EQ(Extract(Quantized(Scale(0, 120, 4)), options).melodies.size(), 1u);
  EXPECT_EQ(
      Extract(Quantized(Scale(0, 121, 4)), options).melodies_discarded_too_long,
      1);
}

}  // namespace
}  // namespace continuo
