// SPDX-License-Identifier: Apache-2.0

// The primers in scripts/primers, which --help and README name.

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "generate/requests/drums_continuation.h"
#include "generate/requests/melody_continuation.h"
#include "generate/requests/performance_continuation.h"
#include "generate/requests/primer.h"
#include "generate/requests/primer_file.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

NoteSequence MustRead(Family family) {
  const auto notes =
      ReadPrimerFile(absl::StrCat(CONTINUO_SOURCE_DIR, "/scripts/primers/",
                                  FamilyName(family), "/primer.mid"),
                     std::nullopt, ReadOptions(), "");
  CONTINUO_CHECK(notes.ok());
  EXPECT_EQ(notes->tempos(0).qpm(), 120);
  return *notes;
}

GeneratorOptions MustRequest(const NoteSequence& primer, int num_steps) {
  const auto request = ContinuationRequest(primer, 120, 4, num_steps, {});
  CONTINUO_CHECK(request.ok());
  return *request;
}

TEST(ShippedPrimersTest, TheMelodyIsTwinkleTwinkle) {
  const NoteSequence primer = MustRead(Family::kMelody);
  const auto melody =
      MakeMelodyContinuation(primer, MustRequest(primer, 128),
                             *FindConfig(Family::kMelody, "basic_rnn"));
  ASSERT_TRUE(melody.ok()) << melody.status();
  std::vector<Event> events = (*melody)->primer();
  std::vector<Event> pitches;
  for (Event event : events) {
    if (event >= 0) pitches.push_back(event);
  }
  EXPECT_EQ(pitches, (std::vector<Event>{60, 60, 67, 67, 69, 69, 67}));
  EXPECT_EQ((*melody)->num_events() + static_cast<int64_t>(events.size()), 128);
}

TEST(ShippedPrimersTest, TheDrumsAreABarOfRock) {
  const NoteSequence primer = MustRead(Family::kDrums);
  const auto drums =
      MakeDrumsContinuation(primer, MustRequest(primer, 128),
                            *FindConfig(Family::kDrums, "drum_kit"));
  ASSERT_TRUE(drums.ok()) << drums.status();
  // Bits: bass drum, snare drum, closed hi-hat.
  const std::vector<Event> bar = {5, 0, 4, 0, 6, 0, 4, 0,
                                  5, 0, 4, 0, 6, 0, 4, 0};
  ASSERT_GE((*drums)->primer().size(), bar.size());
  EXPECT_EQ(std::vector<Event>((*drums)->primer().begin(),
                               (*drums)->primer().begin() + 16),
            bar);
}

TEST(ShippedPrimersTest, ThePerformanceIsAScale) {
  const NoteSequence primer = MustRead(Family::kPerformance);
  ASSERT_EQ(primer.notes_size(), 8);
  EXPECT_EQ(primer.notes(7).pitch(), 72);
  EXPECT_EQ(primer.notes(7).velocity(), 88);
  EXPECT_NEAR(primer.total_time(), 2, 1e-9);
  GeneratorOptions options;
  auto* section = options.add_generate_sections();
  section->set_start_time(primer.total_time());
  section->set_end_time(10);
  const auto performance = MakePerformanceContinuation(
      primer, options,
      *FindConfig(Family::kPerformance, "performance_with_dynamics"), 15);
  ASSERT_TRUE(performance.ok()) << performance.status();
  EXPECT_GT((*performance)->primer().size(), 16u);
}

}  // namespace
}  // namespace continuo
