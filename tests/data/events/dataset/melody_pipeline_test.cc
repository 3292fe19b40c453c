// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/melody_pipeline.h"

#include <limits>
#include <map>
#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

using Reasons = std::map<std::string, int64_t>;

constexpr char kPrefix[] = "DAGPipeline_";

void AddNote(double start, double end, int pitch, NoteSequence* sequence,
             int instrument = 0) {
  auto* note = sequence->add_notes();
  note->set_pitch(pitch);
  note->set_velocity(100);
  note->set_start_time(start);
  note->set_end_time(end);
  note->set_instrument(instrument);
  sequence->set_total_time(std::max(sequence->total_time(), end));
}

// Quarter notes at 120 over C major: `bars` bars of 4/4.
NoteSequence MelodyTune(int bars, double start = 0) {
  const int scale[] = {60, 62, 64, 65, 67, 69, 71};
  NoteSequence sequence;
  for (int i = 0; i < 4 * bars; ++i) {
    AddNote(start + 0.5 * i, start + 0.5 * (i + 1), scale[i % 7], &sequence);
  }
  return sequence;
}

class MelodyPipelineTest : public ::testing::Test {
 protected:
  void Run(const NoteSequence& sequence,
           const MelodyPipelineOptions& extra = {}) {
    MelodyPipelineOptions options = extra;
    options.encoding = {.encoding = Encoding::kOneHotMelody,
                        .min_note = 48,
                        .max_note = 84,
                        .transpose_to_key = 0};
    const auto pipeline = MakeMelodyPipeline(options);
    NoteSequence copy = sequence;
    output_.Clear();
    ASSERT_TRUE(
        pipeline->Run(DatasetPart::kTraining, &copy, &statistics_, &output_)
            .ok());
    for (const auto& [reason, times] : output_.discarded) {
      EXPECT_GT(times, 0) << reason;
      EXPECT_FALSE(pipeline->Remedy(reason).empty());
    }
  }

  Statistics statistics_;
  PipelineOutput output_;
};

TEST_F(MelodyPipelineTest, OneExampleWithOneRowLessThanEvents) {
  Run(MelodyTune(8));
  ASSERT_EQ(output_.examples.size(), 1u);
  EXPECT_EQ(output_.examples[0].inputs.rows(), 127);
  EXPECT_EQ(output_.examples[0].inputs.width, 38);
  EXPECT_EQ(output_.discarded, Reasons());
}

TEST_F(MelodyPipelineTest, ATempoChangeGivesAMelodyPerPart) {
  NoteSequence sequence = MelodyTune(16);
  auto* tempo = sequence.add_tempos();
  tempo->set_time(16);
  // Twice as fast, the same sixteen seconds are sixteen bars.
  tempo->set_qpm(240);
  Run(sequence);
  ASSERT_EQ(output_.examples.size(), 2u);
  EXPECT_EQ(output_.examples[0].inputs.rows(), 127);
  EXPECT_EQ(output_.examples[1].inputs.rows(), 255);
}

TEST_F(MelodyPipelineTest, PolyphonyIsDroppedUnlessIgnored) {
  NoteSequence sequence = MelodyTune(8);
  AddNote(4, 4.5, 40, &sequence);
  Run(sequence);
  EXPECT_TRUE(output_.examples.empty());
  EXPECT_EQ(output_.discarded, (Reasons{{"polyphonic_tracks_discarded", 1}}));
  Run(sequence, {.extract = {.ignore_polyphonic_notes = true}});
  EXPECT_EQ(output_.examples.size(), 1u);
  EXPECT_EQ(output_.discarded, Reasons());
}

TEST_F(MelodyPipelineTest, PitchesOutsideMidiDropTheTransposition) {
  NoteSequence sequence = MelodyTune(8);
  sequence.mutable_notes(0)->set_pitch(127);
  Run(sequence, {.transpositions = {-1, 0, 1}});
  EXPECT_EQ(output_.examples.size(), 2u);
  EXPECT_EQ(output_.discarded, (Reasons{{"skipped_due_to_range_exceeded", 1}}));
  EXPECT_EQ(
      statistics_.count(std::string(kPrefix) + "TranspositionPipeline_training_"
                                               "transpositions_generated"),
      2);
  sequence.mutable_notes(0)->set_pitch(std::numeric_limits<int>::max());
  Run(sequence, {.transpositions = {1}});
  EXPECT_TRUE(output_.examples.empty());
  // Drums keep their pitch and do not count.
  sequence.mutable_notes(0)->set_is_drum(true);
  Run(sequence, {.transpositions = {1}});
  EXPECT_EQ(output_.examples.size(), 1u);
}

TEST_F(MelodyPipelineTest, QuantizerFailuresCountOnceEach) {
  NoteSequence bad = MelodyTune(8);
  auto* metre = bad.add_time_signatures();
  metre->set_numerator(4);
  metre->set_denominator(6);
  Run(bad);
  EXPECT_EQ(output_.discarded,
            (Reasons{{"sequences_discarded_because_bad_time_signature", 1}}));
  EXPECT_EQ(output_.details.size(), 1u);
  Run(MelodyTune(8));
  Run(MelodyTune(8));
  EXPECT_EQ(statistics_.count(std::string(kPrefix) +
                              "Quantizer_training_sequences_discarded_because_"
                              "bad_time_signature"),
            1);
}

TEST_F(MelodyPipelineTest, DamagedTimesAreCountedNotFatal) {
  NoteSequence early = MelodyTune(8);
  early.mutable_notes(0)->set_start_time(-3);
  Run(early);
  // Splitting starts at 0, so an earlier note is left out.
  EXPECT_EQ(output_.examples.size(), 1u);
  for (double time : {std::numeric_limits<double>::quiet_NaN(),
                      std::numeric_limits<double>::infinity(), 1e300}) {
    NoteSequence far = MelodyTune(8);
    far.mutable_notes(3)->set_end_time(time);
    far.set_total_time(time);
    Run(far);
    EXPECT_EQ(output_.discarded,
              (Reasons{{"sequences_discarded_because_time_out_of_range", 1}}))
        << time;
  }
}

TEST_F(MelodyPipelineTest, WhateverGivesNothingSaysWhy) {
  Run(NoteSequence());
  EXPECT_EQ(output_.discarded, (Reasons{{"no_melodic_notes", 1}}));
  NoteSequence drums = MelodyTune(8);
  for (auto& note : *drums.mutable_notes()) note.set_is_drum(true);
  Run(drums);
  EXPECT_EQ(output_.discarded, (Reasons{{"no_melodic_notes", 1}}));
  Run(MelodyTune(6));
  EXPECT_EQ(output_.discarded, (Reasons{{"melodies_discarded_too_short", 1}}));
}

}  // namespace
}  // namespace continuo
