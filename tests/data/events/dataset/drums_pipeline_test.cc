// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/drums_pipeline.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Eight bars of eighths on pitch 36 at 120 qpm.
NoteSequence Beat(int instrument, bool is_drum) {
  NoteSequence sequence;
  for (int i = 0; i < 64; ++i) {
    NoteSequence::Note* note = sequence.add_notes();
    note->set_start_time(i * 0.25);
    note->set_end_time(i * 0.25 + 0.125);
    note->set_pitch(36);
    note->set_velocity(100);
    note->set_instrument(instrument);
    note->set_is_drum(is_drum);
  }
  sequence.set_total_time(16);
  return sequence;
}

PipelineOutput MustRun(const DrumsPipelineOptions& options,
                       NoteSequence sequence) {
  Statistics statistics;
  PipelineOutput output;
  EXPECT_TRUE(MakeDrumsPipeline(options)
                  ->Run(DatasetPart::kTraining, &sequence, &statistics, &output)
                  .ok());
  return output;
}

DrumsPipelineOptions DrumKit() {
  return {.encoding = {.encoding = Encoding::kDrumKit}};
}

TEST(DrumsPipelineTest, ATrackBecomesAnExample) {
  const PipelineOutput output = MustRun(DrumKit(), Beat(9, true));
  ASSERT_EQ(output.examples.size(), 1u);
  EXPECT_EQ(output.examples[0].inputs.rows(), 126);
  EXPECT_EQ(output.examples[0].inputs.width, 518);
  EXPECT_TRUE(output.discarded.empty());
}

TEST(DrumsPipelineTest, WithoutDrumChannelTheInstrumentsAreTold) {
  const PipelineOutput output = MustRun(DrumKit(), Beat(3, false));
  EXPECT_TRUE(output.examples.empty());
  ASSERT_EQ(output.discarded.count("no_drum_channel_in_file"), 1u);
  ASSERT_EQ(output.details.size(), 1u);
  EXPECT_EQ(output.details[0],
            "instrument 3: program 0, 64 notes, pitches 36 to 36");
  EXPECT_TRUE(absl::StrContains(
      MakeDrumsPipeline(DrumKit())->Remedy("no_drum_channel_in_file"),
      "`treat_as_drums`"));
}

TEST(DrumsPipelineTest, InstrumentsCanBeTreatedAsDrums) {
  DrumsPipelineOptions options = DrumKit();
  options.drum_instruments = {2};
  EXPECT_TRUE(MustRun(options, Beat(3, false)).examples.empty());
  options.drum_instruments = {2, 3};
  EXPECT_EQ(MustRun(options, Beat(3, false)).examples.size(), 1u);
  options = DrumKit();
  options.all_are_drums = true;
  EXPECT_EQ(MustRun(options, Beat(3, false)).examples.size(), 1u);
}

TEST(DrumsPipelineTest, NoNotesAreAReason) {
  const PipelineOutput output = MustRun(DrumKit(), NoteSequence());
  EXPECT_EQ(output.discarded.count("no_notes"), 1u);
}

TEST(ParseTreatAsDrumsTest, TakesAllOrNumbers) {
  DrumsPipelineOptions options;
  ASSERT_TRUE(ParseTreatAsDrums("", &options).ok());
  EXPECT_FALSE(options.all_are_drums);
  EXPECT_TRUE(options.drum_instruments.empty());
  ASSERT_TRUE(ParseTreatAsDrums("0,2", &options).ok());
  EXPECT_EQ(options.drum_instruments, (std::set<int>{0, 2}));
  ASSERT_TRUE(ParseTreatAsDrums("all", &options).ok());
  EXPECT_TRUE(options.all_are_drums);
  for (const char* text : {"drums", "0,", "-1", "0;2"}) {
    DrumsPipelineOptions other;
    EXPECT_EQ(ParseTreatAsDrums(text, &other).message(),
              absl::StrCat("`treat_as_drums`=", text,
                           ": expected \"all\" or instrument numbers such as "
                           "0,2"));
  }
}

}  // namespace
}  // namespace continuo
