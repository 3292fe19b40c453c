// SPDX-License-Identifier: Apache-2.0

// Requests to continue drums and performances, without a model.

#include <memory>
#include <string>
#include <vector>

#include "data/events/performance/note_tuple.h"
#include "data/events/performance/performance.h"
#include "generate/requests/drums_continuation.h"
#include "generate/requests/parse_primer.h"
#include "generate/requests/performance_continuation.h"
#include "generate/requests/primer.h"
#include "gtest/gtest.h"
#include "models/config/config.h"

namespace continuo {
namespace {

using enum PerformanceEventType;
using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

absl::StatusOr<std::unique_ptr<Continuation>> ContinueDrums(
    const NoteSequence& primer, const std::string& config_name, int num_steps) {
  const ModelConfig config = *FindConfig(Family::kDrums, config_name);
  const auto request =
      ContinuationRequest(primer, 120, config.steps_per_quarter, num_steps, {});
  if (!request.ok()) return request.status();
  return MakeDrumsContinuation(primer, *request, config);
}

TEST(DrumsContinuationTest, PitchesOfThePrimerStay) {
  // 35 is played as 36 by the model, and 0 is invisible to it.
  const auto track = ParseDrumsPrimer("[(35, 0), (), (82,)]");
  ASSERT_TRUE(track.ok());
  const auto continuation =
      ContinueDrums(DrumTrackToSequence(*track), "drum_kit", 8);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  std::vector<Event> events = (*continuation)->primer();
  // One step of silence by the request and one by rounding, as Magenta.
  EXPECT_EQ(events, (std::vector<Event>{1, 0, 256, 0, 0}));
  EXPECT_EQ((*continuation)->num_events(), 3);
  for (Event event : {1, 256, 0}) events.push_back(event);
  const auto sequence = (*continuation)->Finish(events);
  ASSERT_TRUE(sequence.ok());
  std::vector<int> pitches;
  for (const auto& note : sequence->notes()) {
    EXPECT_TRUE(note.is_drum());
    EXPECT_EQ(note.instrument(), 9);
    pitches.push_back(note.pitch());
  }
  EXPECT_EQ(pitches, (std::vector<int>{0, 35, 82, 36, 51}));
}

TEST(DrumsContinuationTest, OneDrumReadsSixteenthsInEighths) {
  const auto track = ParseDrumsPrimer("[(36, 42), (), (35, 99)]");
  ASSERT_TRUE(track.ok());
  const auto continuation =
      ContinueDrums(DrumTrackToSequence(*track), "one_drum", 16);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  const std::vector<Event>& events = (*continuation)->primer();
  ASSERT_GE(events.size(), 3u);
  EXPECT_EQ(events[0], 1);
  EXPECT_EQ(events[1], 1);
  EXPECT_EQ(events[2], 0);
}

TEST(DrumsContinuationTest, APrimerThatFillsEverythingIsRefused) {
  const auto track = ParseDrumsPrimer("[(36,), (36,), (36,), (36,)]");
  ASSERT_TRUE(track.ok());
  EXPECT_FALSE(ContinueDrums(DrumTrackToSequence(*track), "drum_kit", 5).ok());
}

absl::StatusOr<std::unique_ptr<PerformanceContinuation>> ContinuePerformance(
    const NoteSequence& primer, const std::string& config, int num_steps,
    double density = 15) {
  GeneratorOptions options;
  auto* section = options.add_generate_sections();
  section->set_start_time(primer.total_time());
  section->set_end_time(num_steps * 0.01);
  return MakePerformanceContinuation(
      primer, options, *FindConfig(Family::kPerformance, config), density);
}

TEST(PerformanceContinuationTest, WithoutPrimerASecondOfSilence) {
  const auto continuation =
      ContinuePerformance(NoteSequence(), "performance", 500);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  const Event second = MakePerformanceEvent(kTimeShift, 100);
  EXPECT_EQ((*continuation)->primer(), std::vector<Event>{second});
  EXPECT_EQ((*continuation)->total_steps(), 499);
  // 399 steps of 15 notes a second and four events a note.
  EXPECT_EQ((*continuation)->num_events(), 240);
  std::vector<Event> events(4, second);
  EXPECT_EQ((*continuation)->Missing(events), 60);
  events.push_back(second);
  EXPECT_EQ((*continuation)->Missing(events), 0);
}

TEST(PerformanceContinuationTest, HangingNotesEndAfterFiveSeconds) {
  const auto continuation =
      ContinuePerformance(NoteSequence(), "performance", 1001);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  std::vector<Event> events = (*continuation)->primer();
  events.push_back(MakePerformanceEvent(kNoteOn, 60));
  for (int i = 0; i < 20; ++i) {
    events.push_back(MakePerformanceEvent(kTimeShift, 100));
  }
  const auto sequence = (*continuation)->Finish(events);
  ASSERT_TRUE(sequence.ok());
  ASSERT_EQ(sequence->notes_size(), 1);
  EXPECT_DOUBLE_EQ(
      sequence->notes(0).end_time() - sequence->notes(0).start_time(), 5);
  EXPECT_DOUBLE_EQ(sequence->notes(0).velocity(), 100);
}

TEST(PerformanceContinuationTest, ModelsThatNeverShiftTimeComeToAnEnd) {
  const auto continuation =
      ContinuePerformance(NoteSequence(), "performance", 200);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  std::vector<Event> events = (*continuation)->primer();
  int rounds = 0;
  while (const int64_t missing = (*continuation)->Missing(events)) {
    ASSERT_LT(++rounds, 1000);
    events.insert(events.end(), static_cast<size_t>(missing),
                  MakePerformanceEvent(kNoteOff, 60));
  }
  EXPECT_TRUE((*continuation)->Finish(events).ok());
}

TEST(PerformanceContinuationTest, NoteTuplesAreCutAtTheEnd) {
  const auto continuation = ContinuePerformance(
      NoteSequence(), "performance_with_dynamics_and_note_encoding", 101);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  std::vector<Event> events = (*continuation)->primer();
  ASSERT_EQ(events.size(), 1u);
  for (int i = 0; i < 3; ++i) {
    events.push_back(PackNoteTuple(
        {.shift = 40, .pitch = 70, .velocity_bin = 20, .duration = 200}));
  }
  EXPECT_EQ((*continuation)->Missing(events), 0);
  const auto sequence = (*continuation)->Finish(events);
  ASSERT_TRUE(sequence.ok());
  // The note that started the model is gone, the third begins too late.
  ASSERT_EQ(sequence->notes_size(), 2);
  EXPECT_EQ(sequence->notes(0).pitch(), 70);
  EXPECT_LE(sequence->total_time(), 1.01 + 1e-9);
}

TEST(PerformanceContinuationTest, SeveralProgramsAreNoPrimer) {
  NoteSequence primer = *ParseChordPrimer("[60, 64]");
  primer.mutable_notes(1)->set_program(5);
  const auto continuation =
      ContinuePerformance(primer, "performance_with_dynamics", 300);
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  EXPECT_EQ((*continuation)->primer().size(), 1u);
}

}  // namespace
}  // namespace continuo
