// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_tempo.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_notation.h"

namespace continuo {
namespace {

constexpr double kMinQpm = 0.01;
constexpr double kMaxQpm = 1e6;

// The first number of "120", "c. 63", "132-138"; 0 if there is none.
double FirstNumber(absl::string_view text) {
  const auto is_digit = [](char c) { return absl::ascii_isdigit(c); };
  const auto begin = std::find_if(text.begin(), text.end(), is_digit);
  const auto end = std::find_if(
      begin, text.end(), [&](char c) { return !is_digit(c) && c != '.'; });
  double value = 0;
  if (begin == end ||
      !absl::SimpleAtod(text.substr(begin - text.begin(), end - begin),
                        &value)) {
    return 0;
  }
  return value;
}

// Adds the length in quarters of `beat_unit` and the dots after it to `length`.
// False for a note value that does not exist.
bool AddBeat(pugi::xml_node beat_unit, double* length) {
  const std::optional<int> type = NoteTypeLength(XmlText(beat_unit));
  if (!type.has_value()) return false;
  double part = *type / 256.0;
  *length += part;
  for (pugi::xml_node next = beat_unit.next_sibling();
       absl::string_view(next.name()) == "beat-unit-dot";
       next = next.next_sibling()) {
    part /= 2;
    *length += part;
  }
  return true;
}

// The lengths of the notes that stand in a mark: one, or two around an equals
// sign. Notes tied to them follow each. False if one does not exist.
bool BeatLengths(pugi::xml_node metronome, std::vector<double>* lengths) {
  for (const pugi::xml_node child : metronome.children()) {
    const absl::string_view name = child.name();
    if (name == "beat-unit") {
      lengths->push_back(0);
      if (!AddBeat(child, &lengths->back())) return false;
    } else if (name == "beat-unit-tied" && !lengths->empty()) {
      if (!AddBeat(child.child("beat-unit"), &lengths->back())) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<double> ReadSoundTempo(absl::string_view text,
                                     ReadReport* report) {
  double qpm = 0;
  if (!absl::SimpleAtod(text, &qpm) || !(qpm >= kMinQpm) || !(qpm <= kMaxQpm)) {
    report->Warn("an impossible tempo, left out");
    return std::nullopt;
  }
  return qpm;
}

std::optional<MetronomeMark> ReadMetronome(pugi::xml_node metronome,
                                           ReadReport* report) {
  std::vector<double> lengths;
  const bool is_known = BeatLengths(metronome, &lengths);
  if (is_known && lengths.size() == 1) {
    const double qpm =
        FirstNumber(XmlText(metronome.child("per-minute"))) * lengths[0];
    if (qpm >= kMinQpm && qpm <= kMaxQpm) {
      return MetronomeMark{.is_factor = false, .value = qpm};
    }
  } else if (is_known && lengths.size() == 2) {
    const double factor = lengths[1] / lengths[0];
    if (factor >= kMinQpm && factor <= 1 / kMinQpm) {
      return MetronomeMark{.is_factor = true, .value = factor};
    }
  }
  report->Warn("a metronome mark without a tempo, left out");
  return std::nullopt;
}

}  // namespace continuo
