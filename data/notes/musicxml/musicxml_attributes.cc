// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_attributes.h"

#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr int kMaxMeterNumber = 1'000'000'000;
constexpr size_t kMaxMeterParts = 16;

absl::Status BadMeter(absl::string_view beats, absl::string_view beat_type) {
  return absl::InvalidArgumentError(
      absl::StrCat("an impossible time signature: \"", QuoteForMessage(beats),
                   "/", QuoteForMessage(beat_type),
                   "\", expected numbers from 1 to ", kMaxMeterNumber));
}

// One pair of <beats> ("3" or "3+2") and <beat-type>.
absl::StatusOr<std::vector<Meter>> ReadMeterParts(pugi::xml_node beats,
                                                  pugi::xml_node beat_type) {
  const std::string numerators = XmlText(beats);
  const std::string denominator_text = XmlText(beat_type);
  std::vector<Meter> parts;
  for (absl::string_view text : absl::StrSplit(numerators, '+')) {
    Meter part;
    if (!absl::SimpleAtoi(text, &part.numerator) || part.numerator < 1 ||
        part.numerator > kMaxMeterNumber ||
        !absl::SimpleAtoi(denominator_text, &part.denominator) ||
        part.denominator < 1 || part.denominator > kMaxMeterNumber ||
        parts.size() == kMaxMeterParts) {
      return BadMeter(numerators, denominator_text);
    }
    parts.push_back(part);
  }
  return parts;
}

// The sum over the largest beat type that all parts can be written in: 3/8 +
// 2/4 is 7/8. Nothing if that is not a simple fraction.
std::optional<Meter> Sum(const std::vector<Meter>& parts) {
  int64_t numerator = 0;
  int64_t denominator = 1;
  for (const Meter& part : parts) {
    const int64_t common =
        std::lcm(denominator, static_cast<int64_t>(part.denominator));
    if (common > kMaxMeterNumber) return std::nullopt;
    numerator = numerator * (common / denominator) +
                part.numerator * (common / part.denominator);
    denominator = common;
    if (numerator > kMaxMeterNumber) return std::nullopt;
  }
  return Meter{static_cast<int>(numerator), static_cast<int>(denominator)};
}

}  // namespace

bool SameLength(const Meter& a, const Meter& b) {
  return int64_t{a.numerator} * b.denominator ==
         int64_t{b.numerator} * a.denominator;
}

absl::StatusOr<ScoreMeter> ReadMeter(pugi::xml_node time, ScoreRepair* repair) {
  std::vector<Meter> parts;
  pugi::xml_node beats = time.child("beats");
  pugi::xml_node beat_type = time.child("beat-type");
  do {
    CONTINUO_ASSIGN_OR_RETURN(const std::vector<Meter> pair,
                              ReadMeterParts(beats, beat_type));
    parts.insert(parts.end(), pair.begin(), pair.end());
    if (parts.size() > kMaxMeterParts) {
      return absl::InvalidArgumentError(
          absl::StrCat("an impossible time signature: more than ",
                       kMaxMeterParts, " parts"));
    }
    beats = beats.next_sibling("beats");
    beat_type = beat_type.next_sibling("beat-type");
  } while (beats || beat_type);

  const std::optional<Meter> sum = Sum(parts);
  if (!sum.has_value()) {
    return absl::InvalidArgumentError(
        "an impossible time signature: its parts have no common beat type");
  }
  ScoreMeter meter{.meter = *sum};
  if (parts.size() > 1) {
    repair->Add("a compound time signature");
    meter.components = std::move(parts);
  }
  return meter;
}

absl::StatusOr<std::optional<int>> ReadKeyFifths(pugi::xml_node key,
                                                 ScoreRepair* repair) {
  const pugi::xml_node node = key.child("fifths");
  if (!node) {
    if (!key.child("key-step")) {
      return absl::InvalidArgumentError("no <fifths>");
    }
    repair->Add("a key off the circle of fifths");
    return std::nullopt;
  }
  CONTINUO_ASSIGN_OR_RETURN(const int fifths,
                            XmlInteger(node, "fifths", repair));
  if (fifths < -7 || fifths > 7) {
    repair->Add("a key of more than seven accidentals");
  }
  return fifths;
}

int TransposedFifths(int fifths, int semitones) {
  // A semitone up is five steps back on the circle of fifths.
  const int sum = fifths + ((semitones % 12) * -5 % 12 + 12) % 12;
  if (sum <= 6) return sum;
  return sum % 6 == 0 ? 0 : sum % 6 - 6;
}

int KeyPitchClass(int fifths) { return (fifths % 12 * 7 % 12 + 12) % 12; }

}  // namespace continuo
