// SPDX-License-Identifier: Apache-2.0

#include "data/events/encoding_name.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/events/performance/performance.h"

namespace continuo {
namespace {

enum class Arguments { kNone, kPitches, kPerformance };

struct Row {
  Encoding encoding;
  absl::string_view name;
  Arguments arguments;
};

// Part of the file format: rows are added, never renamed.
constexpr Row kRows[] = {
    {Encoding::kOneHotMelody, "one_hot_melody", Arguments::kPitches},
    {Encoding::kLookbackMelody, "lookback_melody", Arguments::kPitches},
    {Encoding::kKeyMelody, "key_melody", Arguments::kPitches},
    {Encoding::kOneDrum, "one_drum", Arguments::kNone},
    {Encoding::kDrumKit, "drum_kit", Arguments::kNone},
    {Encoding::kPerformance, "performance", Arguments::kPerformance},
    {Encoding::kCompactPerformance, "index_performance",
     Arguments::kPerformance},
    {Encoding::kModuloPerformance, "modulo_performance",
     Arguments::kPerformance},
    {Encoding::kNoteTuples, "note_tuples", Arguments::kPerformance},
};

constexpr absl::string_view kBins = "velocity_bins=";
constexpr absl::string_view kDensity = "density";
constexpr absl::string_view kHistogram = "pitch_histogram";
constexpr absl::string_view kOptional = "optional";

bool ParsePitches(absl::string_view text, EncodingSpec* spec) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, "..");
  int last = 0;
  if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &spec->min_note) ||
      !absl::SimpleAtoi(ends[1], &last) || spec->min_note < 0 || last > 127 ||
      spec->min_note > last) {
    return false;
  }
  spec->max_note = last + 1;
  return true;
}

bool ParsePerformance(absl::string_view text, EncodingSpec* spec) {
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    if (absl::ConsumePrefix(&word, kBins)) {
      if (!absl::SimpleAtoi(word, &spec->num_velocity_bins)) return false;
    } else if (word == kDensity) {
      spec->controls.density = true;
    } else if (word == kHistogram) {
      spec->controls.histogram = true;
    } else if (word == kOptional) {
      spec->controls.optional = true;
    } else {
      return false;
    }
  }
  const int fewest = spec->encoding == Encoding::kNoteTuples ||
                             spec->encoding == Encoding::kModuloPerformance
                         ? 1
                         : 0;
  return spec->num_velocity_bins >= fewest &&
         spec->num_velocity_bins <= kMaxVelocity;
}

}  // namespace

std::string EncodingName(const EncodingSpec& spec) {
  for (const Row& row : kRows) {
    if (row.encoding != spec.encoding) continue;
    switch (row.arguments) {
      case Arguments::kNone:
        return std::string(row.name);
      case Arguments::kPitches:
        return absl::StrCat(row.name, "(", spec.min_note, "..",
                            spec.max_note - 1, ")");
      case Arguments::kPerformance: {
        std::vector<std::string> words = {
            absl::StrCat(kBins, spec.num_velocity_bins)};
        if (spec.controls.density) words.emplace_back(kDensity);
        if (spec.controls.histogram) words.emplace_back(kHistogram);
        if (spec.controls.optional) words.emplace_back(kOptional);
        return absl::StrCat(row.name, "(", absl::StrJoin(words, ","), ")");
      }
    }
  }
  return "";
}

absl::StatusOr<EncodingSpec> EncodingByName(absl::string_view name) {
  EncodingSpec spec;
  absl::string_view arguments = name;
  for (const Row& row : kRows) {
    if (!absl::ConsumePrefix(&arguments, row.name)) continue;
    if (arguments.empty() != (row.arguments == Arguments::kNone)) {
      arguments = name;  // the beginning of a longer name
      continue;
    }
    spec.encoding = row.encoding;
    bool parsed = true;
    if (row.arguments != Arguments::kNone) {
      parsed = absl::ConsumePrefix(&arguments, "(") &&
               absl::ConsumeSuffix(&arguments, ")") &&
               (row.arguments == Arguments::kPitches
                    ? ParsePitches(arguments, &spec)
                    : ParsePerformance(arguments, &spec));
    }
    // One name for one encoding: no other spelling of it.
    if (parsed && EncodingName(spec) == name) return spec;
    break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(name.substr(0, 80)),
                   "\" is no encoding known here"));
}

}  // namespace continuo
