// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/sections.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

NoteSequence Notes(const std::vector<std::pair<double, double>>& times) {
  NoteSequence sequence;
  for (const auto& [start, end] : times) {
    NoteSequence::Note* note = sequence.add_notes();
    note->set_pitch(60);
    note->set_velocity(100);
    note->set_start_time(start);
    note->set_end_time(end);
    sequence.set_total_time(end);
  }
  return sequence;
}

GeneratorOptions Generate(double start, double end) {
  GeneratorOptions options;
  auto* section = options.add_generate_sections();
  section->set_start_time(start);
  section->set_end_time(end);
  return options;
}

TEST(SectionsTest, StartOnTheGridMovesUpAndEndRoundsDown) {
  const auto section =
      ResolveSection(Notes({{0, 0.5}}), Generate(0.5, 2.49), 4);
  ASSERT_TRUE(section.ok()) << section.status();
  EXPECT_EQ(section->start_step, 5);
  EXPECT_EQ(section->end_step, 19);
  EXPECT_EQ(section->qpm, 120);
  EXPECT_EQ(section->search_start_step, 0);
}

TEST(SectionsTest, InputSectionCutsNotesWithoutShiftingThem) {
  GeneratorOptions options = Generate(3, 4);
  auto* input = options.add_input_sections();
  input->set_start_time(0.5);
  input->set_end_time(2);
  const auto section =
      ResolveSection(Notes({{0, 1}, {0.5, 1}, {1.5, 2.5}, {2, 3}}), options, 4);
  ASSERT_TRUE(section.ok()) << section.status();
  EXPECT_EQ(section->search_start_step, 5);
  ASSERT_EQ(section->primer.notes_size(), 2);
  EXPECT_EQ(section->primer.notes(0).start_time(), 0.5);
  EXPECT_EQ(section->primer.notes(1).start_time(), 1.5);
  EXPECT_EQ(section->primer.notes(1).end_time(), 2);
  EXPECT_EQ(section->primer.total_time(), 2);
}

TEST(SectionsTest, NumbersOfSectionsAreChecked) {
  GeneratorOptions two = Generate(1, 2);
  *two.add_generate_sections() = two.generate_sections(0);
  EXPECT_FALSE(ResolveSection({}, two, 4).ok());
  EXPECT_FALSE(ResolveSection({}, GeneratorOptions(), 4).ok());
  GeneratorOptions inputs = Generate(1, 2);
  inputs.add_input_sections()->set_end_time(1);
  EXPECT_TRUE(ResolveSection({}, inputs, 4).ok());
  inputs.add_input_sections()->set_end_time(1);
  EXPECT_FALSE(ResolveSection({}, inputs, 4).ok());
}

TEST(SectionsTest, OnlyExtensionIsPossible) {
  const auto section = ResolveSection(Notes({{0, 1.25}}), Generate(0.5, 6), 4);
  ASSERT_FALSE(section.ok());
  EXPECT_NE(section.status().message().find("1.25"), std::string::npos);
  EXPECT_TRUE(ResolveSection(Notes({{0, 1.25}}), Generate(1.25, 6), 4).ok());
}

TEST(SectionsTest, TimesThatNoMusicHasAreRefused) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double bad : {-1.0, 1e12, infinity, nan}) {
    EXPECT_FALSE(ResolveSection({}, Generate(bad, 2), 4).ok()) << bad;
    EXPECT_FALSE(ResolveSection({}, Generate(1, bad), 4).ok()) << bad;
  }
  NoteSequence slow;
  slow.add_tempos()->set_qpm(0);
  EXPECT_FALSE(ResolveSection(slow, Generate(1, 2), 4).ok());
}

TEST(SectionsTest, ArgumentsHaveDefaultsAndUnknownOnesAreIgnored) {
  GeneratorOptions options;
  (*options.mutable_args())["beam_size"].set_int_value(3);
  (*options.mutable_args())["nonsense"].set_int_value(9);
  const SearchOptions search = SearchOptionsFromArgs(options);
  EXPECT_EQ(search.beam_size, 3);
  EXPECT_EQ(search.sampling.temperature, 1.0);
  EXPECT_EQ(search.branch_factor, 1);
  EXPECT_EQ(search.steps_per_iteration, 1);
}

}  // namespace
}  // namespace continuo
