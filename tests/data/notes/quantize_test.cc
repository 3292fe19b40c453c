// SPDX-License-Identifier: Apache-2.0

#include "data/notes/quantize.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "tests/data/notes/sequence_edits.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using testing::AddMetre;
using testing::AddTempo;

void AddNote(double start, double end, NoteSequence* sequence) {
  auto* note = sequence->add_notes();
  note->set_pitch(60);
  note->set_velocity(100);
  note->set_start_time(start);
  note->set_end_time(end);
  sequence->set_total_time(std::max(sequence->total_time(), end));
}

QuantizeFailure Failure(NoteSequence sequence) {
  QuantizeFailure failure = QuantizeFailure::kNone;
  const absl::Status status = QuantizeMetric(4, &sequence, &failure);
  EXPECT_EQ(status.ok(), failure == QuantizeFailure::kNone) << status;
  return failure;
}

TEST(QuantizeTest, CutoffDecidesWhereExactStepsGo) {
  EXPECT_EQ(QuantizeToStep(0.0625, 8), 1);  // half a step goes up
  EXPECT_EQ(QuantizeToStep(0.0624, 8), 0);
  EXPECT_EQ(QuantizeToStep(0.5, 8, 0), 5);  // an exact step moves up
  EXPECT_EQ(QuantizeToStep(0.0, 8, 0), 1);
  EXPECT_EQ(QuantizeToStep(0.624, 8, 1), 4);
  EXPECT_EQ(QuantizeToStep(-0.2, 8), -1);  // -1.1 truncates toward zero
  EXPECT_EQ(QuantizeToStep(-0.0626, 8), 0);
}

TEST(QuantizeTest, ExtremeTimesDoNotOverflow) {
  EXPECT_EQ(QuantizeToStep(std::numeric_limits<double>::quiet_NaN(), 8), 0);
  EXPECT_EQ(QuantizeToStep(1e300, 8), int64_t{1} << 62);
  EXPECT_EQ(QuantizeToStep(-1e300, 8), -(int64_t{1} << 62));
}

TEST(QuantizeTest, NotesLastAtLeastOneStep) {
  NoteSequence sequence;
  AddNote(0.5, 0.51, &sequence);
  ASSERT_TRUE(QuantizeMetric(4, &sequence).ok());
  EXPECT_EQ(sequence.notes(0).quantized_start_step(), 4);
  EXPECT_EQ(sequence.notes(0).quantized_end_step(), 5);
  // Total time 0.51 s is step 4; the note's end raises it.
  EXPECT_EQ(sequence.total_quantized_steps(), 5);
  EXPECT_EQ(sequence.quantization_info().steps_per_quarter(), 4);
}

TEST(QuantizeTest, DefaultsAreCommonTimeAt120) {
  NoteSequence sequence;
  ASSERT_TRUE(QuantizeMetric(4, &sequence).ok());
  ASSERT_EQ(sequence.time_signatures_size(), 1);
  EXPECT_EQ(sequence.time_signatures(0).numerator(), 4);
  EXPECT_EQ(sequence.time_signatures(0).denominator(), 4);
  ASSERT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.tempos(0).qpm(), 120);
  EXPECT_EQ(StepsPerBar(sequence), 16);
}

TEST(QuantizeTest, RestatedMetreAndTempoAreNoChange) {
  NoteSequence sequence;
  AddNote(0, 1, &sequence);
  AddMetre(0, 3, 4, &sequence);
  AddMetre(2, 3, 4, &sequence);
  AddTempo(0, 90, &sequence);
  AddTempo(1, 90, &sequence);
  ASSERT_TRUE(QuantizeMetric(4, &sequence).ok());
  EXPECT_EQ(sequence.time_signatures_size(), 1);
  EXPECT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.notes(0).quantized_end_step(), 6);
  EXPECT_EQ(StepsPerBar(sequence), 12);
}

TEST(QuantizeTest, LateDefaultsAreNoChange) {
  NoteSequence sequence;
  AddMetre(3, 4, 4, &sequence);
  AddTempo(3, 120, &sequence);
  EXPECT_EQ(Failure(sequence), QuantizeFailure::kNone);
}

TEST(QuantizeTest, MetreFailures) {
  NoteSequence late;
  AddMetre(1, 3, 4, &late);
  EXPECT_EQ(Failure(late), QuantizeFailure::kMultipleTimeSignatures);
  NoteSequence change;
  AddMetre(0, 3, 4, &change);
  AddMetre(1, 4, 4, &change);
  EXPECT_EQ(Failure(change), QuantizeFailure::kMultipleTimeSignatures);
  for (const auto& [numerator, denominator] :
       {std::pair{4, 3}, {4, 0}, {4, -4}, {0, 4}, {-3, 4}}) {
    NoteSequence bad;
    AddMetre(0, numerator, denominator, &bad);
    EXPECT_EQ(Failure(bad), QuantizeFailure::kBadTimeSignature)
        << numerator << "/" << denominator;
  }
}

TEST(QuantizeTest, TempoFailures) {
  NoteSequence late;
  AddTempo(1, 100, &late);
  EXPECT_EQ(Failure(late), QuantizeFailure::kMultipleTempos);
  NoteSequence change;
  AddTempo(0, 100, &change);
  AddTempo(1, 101, &change);
  EXPECT_EQ(Failure(change), QuantizeFailure::kMultipleTempos);
}

TEST(QuantizeTest, TimeFailures) {
  NoteSequence negative;
  AddNote(-1, 1, &negative);
  EXPECT_EQ(Failure(negative), QuantizeFailure::kNegativeTime);
  NoteSequence control;
  control.add_control_changes()->set_time(-1);
  EXPECT_EQ(Failure(control), QuantizeFailure::kNegativeTime);
  NoteSequence text;
  text.add_text_annotations()->set_time(-1);
  EXPECT_EQ(Failure(text), QuantizeFailure::kNegativeTime);
  for (double time : {1e300, std::numeric_limits<double>::infinity(),
                      std::numeric_limits<double>::quiet_NaN()}) {
    NoteSequence far;
    AddNote(0, 1, &far);
    far.mutable_notes(0)->set_end_time(time);
    EXPECT_EQ(Failure(far), QuantizeFailure::kTimeOutOfRange) << time;
  }
  NoteSequence tempo;
  AddNote(0, 1, &tempo);
  AddTempo(0, std::numeric_limits<double>::quiet_NaN(), &tempo);
  EXPECT_EQ(Failure(tempo), QuantizeFailure::kTimeOutOfRange);
}

TEST(QuantizeTest, AbsoluteIgnoresTempoAndMetre) {
  NoteSequence sequence;
  AddNote(0.123, 0.5, &sequence);
  AddTempo(0, 60, &sequence);
  AddTempo(1, 90, &sequence);
  AddMetre(0, 5, 3, &sequence);
  ASSERT_TRUE(QuantizeAbsolute(100, &sequence).ok());
  EXPECT_EQ(sequence.notes(0).quantized_start_step(), 12);
  EXPECT_EQ(sequence.tempos_size(), 2);
  EXPECT_EQ(sequence.quantization_info().steps_per_second(), 100);
}

}  // namespace
}  // namespace continuo
