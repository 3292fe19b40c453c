// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/performance.h"

#include <memory>
#include <vector>

#include "data/events/encoder_table.h"
#include "data/events/performance/conditioned.h"
#include "data/events/performance/control_source.h"
#include "data/events/performance/note_tuple.h"
#include "data/events/performance/performance_extract.h"
#include "gtest/gtest.h"
#include "tests/testing/dense.h"

namespace continuo {
namespace {

using enum PerformanceEventType;
using tensorflow::magenta::NoteSequence;

Event On(int pitch) { return MakePerformanceEvent(kNoteOn, pitch); }
Event Off(int pitch) { return MakePerformanceEvent(kNoteOff, pitch); }
Event Shift(int steps) { return MakePerformanceEvent(kTimeShift, steps); }
Event Tuple(int shift, int duration) {
  return PackNoteTuple({.shift = shift, .pitch = 60, .duration = duration});
}

void AddNote(int64_t start, int64_t end, int pitch, NoteSequence* sequence) {
  NoteSequence::Note* note = sequence->add_notes();
  note->set_quantized_start_step(start);
  note->set_quantized_end_step(end);
  note->set_start_time(static_cast<double>(start) / 100);
  note->set_pitch(pitch);
  note->set_velocity(80);
}

TEST(PerformanceTest, EventsKeepTypeAndValue) {
  EXPECT_EQ(PerformanceTypeOf(Off(127)), kNoteOff);
  EXPECT_EQ(PerformanceValueOf(Off(127)), 127);
  const NoteTuple tuple = UnpackNoteTuple(PackNoteTuple(
      {.shift = 1000, .pitch = 127, .velocity_bin = 32, .duration = 999}));
  EXPECT_EQ(tuple.shift, 1000);
  EXPECT_EQ(tuple.pitch, 127);
  EXPECT_EQ(tuple.velocity_bin, 32);
  EXPECT_EQ(tuple.duration, 999);
}

TEST(PerformanceTest, ExactlyAHundredStepsAreOneShift) {
  NoteSequence sequence;
  AddNote(100, 301, 60, &sequence);
  const auto extraction = ExtractPerformance(sequence, {});
  ASSERT_TRUE(extraction.ok());
  EXPECT_EQ(extraction->performance->events,
            (std::vector<Event>{Shift(100), On(60), Shift(100), Shift(100),
                                Shift(1), Off(60)}));
}

TEST(PerformanceTest, WithinAStepNotesGoInTheirOrder) {
  NoteSequence sequence;
  AddNote(0, 10, 60, &sequence);
  AddNote(10, 20, 50, &sequence);
  AddNote(5, 10, 70, &sequence);
  const auto extraction = ExtractPerformance(sequence, {});
  ASSERT_TRUE(extraction.ok());
  EXPECT_EQ(extraction->performance->events,
            (std::vector<Event>{On(60), Shift(5), On(70), Shift(5), Off(60),
                                Off(70), On(50), Shift(10), Off(50)}));
}

TEST(PerformanceTest, TrainingDropsShortAndCutsLongOnes) {
  NoteSequence sequence;
  for (int i = 0; i < 10; ++i) AddNote(2 * i, 2 * i + 1, 60, &sequence);
  const auto options = TrainingPerformanceOptions(0, false);
  auto extraction = ExtractPerformance(sequence, options);
  ASSERT_TRUE(extraction.ok());
  ASSERT_TRUE(extraction->performance.has_value());  // 39 events
  sequence.mutable_notes()->DeleteSubrange(8, 2);    // 31 events
  extraction = ExtractPerformance(sequence, options);
  ASSERT_TRUE(extraction.ok());
  EXPECT_FALSE(extraction->performance.has_value());
  EXPECT_EQ(extraction->performances_discarded_too_short, 1);
  for (int i = 8; i < 400; ++i) AddNote(2 * i, 2 * i + 1, 60, &sequence);
  extraction = ExtractPerformance(sequence, options);
  ASSERT_TRUE(extraction.ok());
  EXPECT_EQ(extraction->performance->events.size(), 512u);
  EXPECT_EQ(extraction->performances_truncated, 1);
}

TEST(PerformanceTest, HostileDistancesCostNothingWhereTheyAreCut) {
  NoteSequence sequence;
  AddNote(int64_t{1} << 40, (int64_t{1} << 40) + 1, 60, &sequence);
  const auto cut =
      ExtractPerformance(sequence, TrainingPerformanceOptions(0, false));
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->performance->events.size(), 512u);
  sequence.mutable_notes(0)->set_pitch(128);
  EXPECT_EQ(ExtractPerformance(sequence, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(PerformanceTest, NoteOffEndsTheOldestAndHangingNotesEndWithTheRest) {
  Performance performance;
  performance.events = {Off(40), On(60), Shift(10), On(60),     Shift(10),
                        Off(60), On(61), Off(61),   Shift(100), On(62)};
  const NoteSequence sequence =
      PerformanceToSequence(performance, {.max_note_duration = 0.5});
  ASSERT_EQ(sequence.notes_size(), 2);
  EXPECT_DOUBLE_EQ(sequence.notes(0).start_time(), 0);
  EXPECT_DOUBLE_EQ(sequence.notes(0).end_time(), 0.2);
  // Still sounding at 1.2 s, cut to half a second.
  EXPECT_DOUBLE_EQ(sequence.notes(1).start_time(), 0.1);
  EXPECT_DOUBLE_EQ(sequence.notes(1).end_time(), 0.6);
}

TEST(PerformanceTest, TuplesAreCut) {
  Performance performance;
  performance.num_velocity_bins = 32;
  performance.events = {Tuple(10, 100), Tuple(20, 5), Tuple(30, 1)};
  EXPECT_EQ(PerformanceSteps(performance), 61);
  SetPerformanceLength(60, &performance);
  EXPECT_EQ(performance.events,
            (std::vector<Event>{Tuple(10, 50), Tuple(20, 5)}));
  const NoteSequence sequence = PerformanceToSequence(performance);
  EXPECT_DOUBLE_EQ(sequence.total_time(), 0.6);
  EXPECT_EQ(sequence.notes(0).velocity(), 1);
}

TEST(ControlScheduleTest, EqualPartsSplitTheTime) {
  ControlSchedule::Values values;
  values.notes_per_second = EqualParts<double>({1, 2, 3}, 100);
  values.disabled = {{0, false}, {50, true}};
  const ControlSchedule schedule(values);
  std::vector<Event> events(110, Shift(1));
  std::vector<ControlValues> at;
  schedule.Append(events, 0, 111, &at);
  ASSERT_EQ(at.size(), 111u);
  for (int step = 0; step <= 110; ++step) {
    EXPECT_EQ(at[step].notes_per_second, 1 + std::min(step * 3 / 100, 2));
    EXPECT_EQ(at[step].disabled, step >= 50);
  }
}

TEST(ConditionedTest, RowsHoldTheNextEventsControls) {
  EncodingSpec spec{.encoding = Encoding::kPerformance,
                    .controls = {.density = true, .optional = true}};
  ControlSchedule::Values values;
  values.notes_per_second = {{0, 0.5}, {10, 100}};
  values.disabled = {{0, false}, {15, true}};
  const auto encoder =
      MakeEventEncoder(spec, std::make_shared<ControlSchedule>(values));
  EXPECT_EQ(encoder->input_size(), 1 + 8 + 356);
  const std::vector<Event> events = {On(3), Shift(10), Shift(5)};
  SparseRows rows;
  ASSERT_TRUE(encoder->EncodeInputs(events, 0, 3, &rows).ok());
  EXPECT_EQ(rows.index, (std::vector<int32_t>{1, 9 + 3,       // at step 0
                                              8, 9 + 265,     // at step 10
                                              0, 9 + 260}));  // off
  // Without a schedule the defaults hold.
  SparseRows defaults;
  ASSERT_TRUE(
      MakeEventEncoder(spec)->EncodeInputs(events, 0, 1, &defaults).ok());
  EXPECT_EQ(defaults.index, (std::vector<int32_t>{1 + 4, 9 + 3}));
}

}  // namespace
}  // namespace continuo
