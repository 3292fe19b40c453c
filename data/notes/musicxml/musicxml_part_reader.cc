// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_part_reader.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"

namespace continuo {
namespace {

// A number of a <midi-instrument>, 1 to 128, counted from 0; `missing` if it is
// absent or, with a warning, out of range.
int MidiNumber(pugi::xml_node node, int missing, PartReader* reader) {
  if (!node) return missing;
  const auto number = XmlInteger(node, node.name(), reader->repair);
  if (number.ok() && *number >= 1 && *number <= 128) return *number - 1;
  reader->Warn("an impossible number of a MIDI instrument, left out");
  return missing;
}

}  // namespace

PartReader MakePartReader(int part, pugi::xml_node score_part,
                          Ticks ticks_per_quarter, int64_t divisions,
                          ScoreRepair* repair, ReadReport* report) {
  PartReader reader{.part = part,
                    .ticks_per_quarter = ticks_per_quarter,
                    .divisions = divisions,
                    .repair = repair,
                    .report = report};
  int drums = 0;
  for (const pugi::xml_node node : score_part.children("midi-instrument")) {
    const ScoreInstrument instrument = {
        .program = MidiNumber(node.child("midi-program"), 0, &reader),
        .drum_pitch = MidiNumber(node.child("midi-unpitched"), -1, &reader)};
    if (reader.instruments.empty()) {
      reader.instrument.program = instrument.program;
    }
    if (instrument.drum_pitch >= 0) {
      // Of several drums, a note must name its own.
      reader.instrument.drum_pitch = drums++ == 0 ? instrument.drum_pitch : -1;
    }
    reader.instruments[XmlAttribute(node, "id")] = instrument;
  }
  return reader;
}

std::optional<Ticks> QuartersToTicks(const PartReader& reader,
                                     double quarters) {
  const double ticks = quarters * static_cast<double>(reader.ticks_per_quarter);
  if (!(std::abs(ticks) <= static_cast<double>(kMaxMeasureTicks))) {
    return std::nullopt;
  }
  return std::llround(ticks);
}

std::optional<Ticks> ReadLength(pugi::xml_node node, PartReader* reader) {
  const auto millionths = XmlMillionths(node, node.name(), reader->repair);
  if (millionths.ok()) {
    if (!reader->has_divisions) {
      reader->has_divisions = true;
      reader->Warn("a part without <divisions>, guessed");
    }
    const std::optional<Ticks> ticks =
        QuartersToTicks(*reader, static_cast<double>(*millionths) /
                                     static_cast<double>(reader->divisions));
    if (ticks.has_value()) return ticks;
  }
  reader->Warn("an impossible <duration> or <offset>, left out");
  return std::nullopt;
}

std::optional<int> ReadVelocity(pugi::xml_attribute dynamics,
                                PartReader* reader) {
  constexpr double kForte = 90;
  double percent = 0;
  if (!absl::SimpleAtod(dynamics.value(), &percent) || !(percent >= 0) ||
      !(percent <= 1e6)) {
    reader->Warn("impossible dynamics, left out");
    return std::nullopt;
  }
  const double velocity = std::round(percent * kForte / 100);
  if (velocity > 127) reader->Warn("a velocity above 127, lowered to it");
  return static_cast<int>(std::clamp(velocity, 1.0, 127.0));
}

Transposition TranspositionOf(const PartReader& reader, int staff) {
  const auto found = reader.of_staff.find(staff);
  return found != reader.of_staff.end() ? found->second : reader.transposition;
}

}  // namespace continuo
