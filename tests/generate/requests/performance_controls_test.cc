// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/performance_controls.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/events/performance/performance.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

// The values at each of `steps`, one step an event.
std::vector<ControlValues> At(const RequestedControls& controls, int steps) {
  const std::vector<Event> events(
      static_cast<size_t>(steps),
      MakePerformanceEvent(PerformanceEventType::kTimeShift, 1));
  std::vector<ControlValues> values;
  MakeControlSchedule(controls, steps).Append(events, 0, steps, &values);
  return values;
}

TEST(PerformanceControlsTest, NumbersAndListsOfNumbers) {
  EXPECT_EQ(ParseNotesPerSecond("5")->values, std::vector<double>{5});
  EXPECT_EQ(ParseNotesPerSecond("[1, 2.5, 0]")->values,
            (std::vector<double>{1, 2.5, 0}));
  for (const char* bad : {"", "-1", "[]", "[1, [2]]", "True", "1e9", "many"}) {
    EXPECT_EQ(ParseNotesPerSecond(bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
  EXPECT_EQ(ParseDisableConditioning("True")->values, std::vector<bool>{true});
  EXPECT_EQ(ParseDisableConditioning("[True, False]")->values,
            (std::vector<bool>{true, false}));
  EXPECT_FALSE(ParseDisableConditioning("1").ok());
}

TEST(PerformanceControlsTest, HistogramsHaveTwelveNumbers) {
  const std::string one = "[2,0,1,0,1,1,0,1,0,1,0,1]";
  ASSERT_EQ(ParsePitchClassHistogram(one)->values.size(), 1u);
  EXPECT_EQ(ParsePitchClassHistogram(one)->values[0][0], 2);
  const auto two = ParsePitchClassHistogram("[" + one + "," + one + "]");
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(two->values.size(), 2u);
  for (const char* bad :
       {"3", "[1,2,3]", "[[1,2,3]]", "[]", "[-1,0,0,0,0,0,0,0,0,0,0,0]"}) {
    EXPECT_EQ(ParsePitchClassHistogram(bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(PerformanceControlsTest, WithoutWishesTheDefaultsHold) {
  const RequestedControls none;
  EXPECT_EQ(MeanDensity(none), 15);
  const std::vector<ControlValues> values = At(none, 3);
  EXPECT_EQ(values[2].notes_per_second, 15);
  EXPECT_EQ(values[2].pitch_class_histogram[7], 1);
  EXPECT_FALSE(values[2].disabled);
}

TEST(PerformanceControlsTest, FilesGiveValuesOverTime) {
  const auto controls = ParseControlFile(
      R"({"notes_per_second": [{"seconds": 0, "value": 4},
                               {"seconds": 0.1, "value": 16}],
          "disable_conditioning": [{"seconds": 0.05, "value": true}],
          "pitch_class_histogram": [
            {"seconds": 0, "value": [0,0,0,0,0,0,0,0,0,0,0,3]}]})");
  ASSERT_TRUE(controls.ok()) << controls.status();
  EXPECT_EQ(MeanDensity(*controls), 10);
  const std::vector<ControlValues> values = At(*controls, 20);
  EXPECT_EQ(values[9].notes_per_second, 4);
  EXPECT_EQ(values[10].notes_per_second, 16);
  // A first change holds from the start.
  EXPECT_TRUE(values[0].disabled);
  EXPECT_EQ(values[0].pitch_class_histogram[11], 3);
}

TEST(PerformanceControlsTest, FilesSayWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "object"},
      {"{", "object"},
      {R"({"tempo": []})", "tempo"},
      {R"({"notes_per_second": []})", "list"},
      {R"({"notes_per_second": [4]})", "entry 0"},
      {R"({"notes_per_second": [{"seconds": 0, "value": "x"}]})", "value"},
      {R"({"notes_per_second": [{"seconds": -1, "value": 1}]})", "seconds"},
      {R"({"notes_per_second": [{"seconds": 1, "value": 1},
                                {"seconds": 1, "value": 2}]})",
       "entry 1"},
      {R"({"pitch_class_histogram": [{"seconds": 0, "value": [1]}]})",
       "twelve"}};
  for (const auto& [text, expected] : cases) {
    const auto controls = ParseControlFile(text);
    EXPECT_EQ(controls.status().code(), absl::StatusCode::kInvalidArgument)
        << text;
    EXPECT_TRUE(absl::StrContains(controls.status().message(), expected))
        << controls.status();
  }
}

}  // namespace
}  // namespace continuo
