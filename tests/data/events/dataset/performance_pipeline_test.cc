// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/performance_pipeline.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

NoteSequence Scale(int notes, int lowest) {
  NoteSequence sequence;
  for (int i = 0; i < notes; ++i) {
    NoteSequence::Note* note = sequence.add_notes();
    note->set_start_time(i * 0.5);
    note->set_end_time(i * 0.5 + 0.25);
    note->set_pitch(lowest + i % 12);
    note->set_velocity(64);
  }
  sequence.set_total_time(notes * 0.5);
  return sequence;
}

PipelineOutput MustRun(const EncodingSpec& encoding, DatasetPart part,
                       NoteSequence sequence) {
  Statistics statistics;
  PipelineOutput output;
  EXPECT_TRUE(MakePerformancePipeline({.encoding = encoding})
                  ->Run(part, &sequence, &statistics, &output)
                  .ok());
  return output;
}

const EncodingSpec kPlain = {.encoding = Encoding::kPerformance};

TEST(PerformancePipelineTest, TrainingMultipliesAndEvaluationDoesNot) {
  EXPECT_EQ(
      MustRun(kPlain, DatasetPart::kTraining, Scale(40, 60)).examples.size(),
      35u);
  EXPECT_EQ(MustRun(kPlain, DatasetPart::kEval, Scale(40, 60)).examples.size(),
            1u);
  // The lowest pitch is 1: two transpositions leave the range.
  const PipelineOutput low =
      MustRun(kPlain, DatasetPart::kTraining, Scale(40, 1));
  EXPECT_EQ(low.examples.size(), 25u);
  EXPECT_EQ(low.discarded.at("skipped_due_to_range_exceeded"), 10);
}

TEST(PerformancePipelineTest, PiecesOfThirtySeconds) {
  // 65 seconds; the last 5 have 10 notes, which are 40 events.
  EXPECT_EQ(MustRun(kPlain, DatasetPart::kEval, Scale(130, 60)).examples.size(),
            3u);
}

TEST(PerformancePipelineTest, OptionalConditioningTakesEachTwice) {
  EncodingSpec optional = kPlain;
  optional.controls = {.density = true, .optional = true};
  const PipelineOutput output =
      MustRun(optional, DatasetPart::kEval, Scale(40, 60));
  ASSERT_EQ(output.examples.size(), 2u);
  EXPECT_EQ(output.examples[0].labels, output.examples[1].labels);
  // Row 0 on: the density bin and the event; off: the switch and the event.
  const SparseRows& on = output.examples[0].inputs;
  const SparseRows& off = output.examples[1].inputs;
  EXPECT_EQ(on.index[0], 1 + 2);  // two notes a second: the bin from 2 to 4
  EXPECT_EQ(off.index[0], 0);
  EXPECT_EQ(on.index[1], off.index[1]);
}

TEST(PerformancePipelineTest, BadSequencesAreCountedNotFatal) {
  NoteSequence bad = Scale(40, 60);
  bad.mutable_notes(3)->set_pitch(-1);
  EncodingSpec dynamics = kPlain;
  dynamics.num_velocity_bins = 32;
  PipelineOutput output = MustRun(dynamics, DatasetPart::kEval, bad);
  EXPECT_TRUE(output.examples.empty());
  EXPECT_EQ(output.discarded.count("skipped_due_to_range_exceeded"), 1u);

  bad = Scale(40, 60);
  bad.mutable_notes(3)->set_velocity(0);
  output = MustRun(dynamics, DatasetPart::kEval, bad);
  EXPECT_EQ(output.discarded.count("damaged_notes"), 1u);

  bad = Scale(40, 60);
  bad.mutable_notes(3)->set_start_time(
      std::numeric_limits<double>::quiet_NaN());
  output = MustRun(kPlain, DatasetPart::kEval, bad);
  EXPECT_EQ(output.discarded.size(), 1u);

  bad = Scale(40, 60);
  bad.set_total_time(1e18);
  output = MustRun(kPlain, DatasetPart::kEval, bad);
  EXPECT_EQ(output.discarded.size(), 1u);

  output = MustRun(kPlain, DatasetPart::kTraining, NoteSequence());
  EXPECT_EQ(output.discarded.count("no_notes"), 1u);
}

}  // namespace
}  // namespace continuo
