// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_score_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_limits.h"
#include "data/notes/musicxml/musicxml_score_measure.h"

namespace continuo {
namespace {

struct Resolution {
  Ticks ticks_per_quarter = 1;
  int64_t first_divisions = kXmlUnit;  // in millionths
};

// Ticks in which all whole divisions of the score are exact, and decimal ones
// nearly so.
Resolution FindResolution(const std::vector<PartNodes>& parts) {
  constexpr Ticks kFinest = Ticks{1} << 28;
  constexpr Ticks kCoarsest = Ticks{1} << 20;
  Resolution resolution;
  bool is_first = true;
  ScoreRepair unused;
  for (const PartNodes& part : parts) {
    for (const MeasureNode& measure : part.measures) {
      for (const pugi::xml_node attributes :
           measure.node.children("attributes")) {
        for (const pugi::xml_node node : attributes.children("divisions")) {
          const auto divisions = XmlMillionths(node, "divisions", &unused);
          if (!divisions.ok() || *divisions <= 0) continue;
          if (is_first) resolution.first_divisions = *divisions;
          is_first = false;
          const Ticks parts_of_quarter =
              *divisions / std::gcd(*divisions, kXmlUnit);
          if (parts_of_quarter > kFinest) continue;
          const Ticks common =
              std::lcm(resolution.ticks_per_quarter, parts_of_quarter);
          if (common <= kFinest) resolution.ticks_per_quarter = common;
        }
      }
    }
  }
  constexpr Ticks kUsualTuplets = 3 * 5 * 7;
  if (resolution.ticks_per_quarter * kUsualTuplets <= kFinest) {
    resolution.ticks_per_quarter *= kUsualTuplets;
  }
  while (resolution.ticks_per_quarter < kCoarsest) {
    resolution.ticks_per_quarter *= 2;
  }
  return resolution;
}

bool IsImplicit(pugi::xml_node node) {
  const auto is_yes = [](pugi::xml_node measure) {
    return absl::string_view(measure.attribute("implicit").value()) == "yes";
  };
  return is_yes(node) || is_yes(node.parent());  // of a time-wise score
}

}  // namespace

absl::StatusOr<WrittenScore> ReadWrittenScore(
    const std::vector<PartNodes>& parts, ScoreRepair* repair,
    ReadReport* report) {
  size_t count = 0;
  for (const PartNodes& part : parts) {
    if (part.measures.empty()) continue;
    count = std::max(count, part.measures.back().index + 1);
  }
  if (count > kMaxMeasures) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a score with more measures than the limit: ", count,
                     ", at most ", kMaxMeasures, "; split it into movements"));
  }
  const Resolution resolution = FindResolution(parts);
  WrittenScore score{.ticks_per_quarter = resolution.ticks_per_quarter,
                     .measures = std::vector<WrittenMeasure>(count)};
  for (size_t i = 0; i < parts.size(); ++i) {
    PartReader reader = MakePartReader(
        static_cast<int>(i), parts[i].listed, resolution.ticks_per_quarter,
        resolution.first_divisions, repair, report);
    for (const auto& [index, node] : parts[i].measures) {
      WrittenMeasure& measure = score.measures[index];
      MeasureMarks* next =
          index + 1 < count ? &score.measures[index + 1].marks : nullptr;
      measure.is_implicit |= IsImplicit(node);
      ReadPartMeasure(node, &reader, &measure);
      ReadMeasureMarks(node, &measure.marks, next, report);
    }
  }
  std::vector<MeasureMarks*> marks;
  for (WrittenMeasure& measure : score.measures) {
    marks.push_back(&measure.marks);
  }
  ResolveCodaSigns(marks);
  return score;
}

}  // namespace continuo
