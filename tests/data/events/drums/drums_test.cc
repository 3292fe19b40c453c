// SPDX-License-Identifier: Apache-2.0

#include "data/events/drums/drums.h"

#include <vector>

#include "data/events/drums/drums_extract.h"
#include "data/notes/quantize.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

void AddHit(int64_t step, int pitch, bool is_drum, NoteSequence* sequence) {
  NoteSequence::Note* note = sequence->add_notes();
  note->set_quantized_start_step(step);
  note->set_quantized_end_step(step + 1);
  note->set_pitch(pitch);
  note->set_velocity(100);
  note->set_is_drum(is_drum);
}

// In 4/4 at four steps per quarter.
NoteSequence Quantized() {
  NoteSequence sequence;
  EXPECT_TRUE(QuantizeMetric(4, &sequence).ok());
  return sequence;
}

TEST(DrumsTest, EveryPitchHasOneOfNineClassesOrNone) {
  int known = 0;
  for (int pitch = 0; pitch < kNumDrumPitches; ++pitch) {
    int classes = 0;
    for (const auto& pitches : NineDrumClasses()) {
      for (int member : pitches) classes += member == pitch;
    }
    EXPECT_LE(classes, 1) << pitch;
    known += classes;
    EXPECT_EQ(DrumHitToEvent(OneDrumClass(), DrumHit().set(pitch)), 1);
  }
  EXPECT_EQ(known, 63);
}

TEST(DrumsTest, EventsForgetUnknownPitchesAndDoubles) {
  const DrumHit hit = DrumHit().set(35).set(36).set(0).set(127).set(82);
  const Event event = DrumHitToEvent(NineDrumClasses(), hit);
  EXPECT_EQ(event, 1 + 256);
  EXPECT_EQ(DrumEventToHit(NineDrumClasses(), event),
            DrumHit().set(36).set(51));
}

TEST(DrumsTest, PitchesOutsideMidiAreRefused) {
  EXPECT_TRUE(DrumTrackFromPitches({{36, 42}, {}, {127}}).ok());
  for (int64_t pitch : {int64_t{-1}, int64_t{128}}) {
    const std::vector<std::vector<int64_t>> steps = {{}, {36, pitch}};
    const auto track = DrumTrackFromPitches(steps);
    EXPECT_EQ(track.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(track.status().message().find("position 1"), std::string::npos);
  }
}

TEST(DrumsTest, ASilentBarEndsATrack) {
  NoteSequence sequence = Quantized();
  for (int64_t step = 3; step < 7 * 16; ++step) {
    AddHit(step, 42, true, &sequence);
  }
  // Fifteen silent steps do not end it, sixteen do.
  AddHit(7 * 16 + 15, 36, true, &sequence);
  AddHit(8 * 16 + 16, 38, true, &sequence);
  AddHit(20, 38, false, &sequence);  // pitched: ignored
  const auto tracks = ExtractDrumTracks(sequence, TrainingDrumsOptions());
  ASSERT_TRUE(tracks.ok());
  ASSERT_EQ(tracks->drum_tracks.size(), 1u);
  EXPECT_EQ(tracks->drum_tracks[0].start_step, 0);
  EXPECT_EQ(tracks->drum_tracks[0].hits.size(), 8u * 16);
  EXPECT_EQ(tracks->drum_tracks[0].hits[20], DrumHit().set(42));
  EXPECT_EQ(tracks->drum_tracks_discarded_too_short, 1);
  EXPECT_EQ(tracks->lengths_in_bars, std::vector<int64_t>{8});

  const auto primer = ExtractDrumTracks(sequence, PrimingDrumsOptions());
  ASSERT_TRUE(primer.ok());
  ASSERT_EQ(primer->drum_tracks.size(), 1u);
  EXPECT_EQ(primer->drum_tracks[0].end_step(), 8 * 16 + 17);
  EXPECT_EQ(primer->drum_tracks[0].hits[20], DrumHit().set(42).set(38));
}

TEST(DrumsTest, HostileLengthsCostNothing) {
  NoteSequence sequence = Quantized();
  AddHit(0, 36, true, &sequence);
  AddHit(kMaxQuantizedStep, 36, true, &sequence);
  const auto primer = ExtractDrumTracks(sequence, PrimingDrumsOptions());
  EXPECT_EQ(primer.status().code(), absl::StatusCode::kResourceExhausted);
  const auto training = ExtractDrumTracks(sequence, TrainingDrumsOptions());
  ASSERT_TRUE(training.ok());
  EXPECT_EQ(training->drum_tracks_discarded_too_short, 2);
}

}  // namespace
}  // namespace continuo
