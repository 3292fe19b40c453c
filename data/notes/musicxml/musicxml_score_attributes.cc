// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_score_attributes.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_attributes.h"
#include "data/notes/musicxml/musicxml_document.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

bool Same(const std::optional<ScoreMeter>& a,
          const std::optional<ScoreMeter>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return SameLength(a->meter, b->meter);
}

void ReadTime(pugi::xml_node node, Ticks time, PartReader* reader,
              WrittenMeasure* measure) {
  WrittenMeter written{.start = time, .meter = std::nullopt};
  if (node.child("senza-misura")) {
    reader->repair->Add("a passage without time signature (senza misura)");
  } else {
    const auto meter = ReadMeter(node, reader->repair);
    if (!meter.ok()) {
      reader->Warn("an impossible time signature, left out");
      return;
    }
    written.meter = *meter;
  }
  if (measure->meter_part < 0) measure->meter_part = reader->part;
  auto& meters = measure->meters;
  if (measure->meter_part == reader->part) {
    if (!meters.empty()) {
      reader->repair->Add("several time signatures in a measure");
    }
    // Staves of one part restate the signature.
    if (!meters.empty() && meters.back().start >= time) {
      if (!Same(meters.back().meter, written.meter)) {
        reader->Warn("different time signatures at once, the first one taken");
      }
      return;
    }
    meters.push_back(std::move(written));
  } else if (!Same(meters[0].meter, written.meter)) {
    reader->Warn("different time signatures at once, the first one taken");
  }
}

void ReadTranspose(pugi::xml_node node, PartReader* reader) {
  const auto chromatic =
      XmlInteger(node.child("chromatic"), "chromatic", reader->repair);
  const pugi::xml_node octaves = node.child("octave-change");
  const auto octave = XmlInteger(octaves, "octave-change", reader->repair);
  // Far enough for all that can sound, and nothing overflows.
  constexpr int kFarthest = 10000;
  const auto is_usable = [](const auto& number) {
    return number.ok() && std::abs(*number) <= kFarthest;
  };
  Transposition transposition;
  if (is_usable(chromatic)) transposition.semitones = *chromatic;
  if (octaves && is_usable(octave)) transposition.semitones += 12 * *octave;
  if (!is_usable(chromatic) || (octaves && !is_usable(octave))) {
    reader->Warn("an impossible <transpose>, left out");
  }
  if (const pugi::xml_node twice = node.child("double")) {
    transposition.doubling =
        absl::string_view(twice.attribute("above").value()) == "yes" ? 12 : -12;
  }
  int staff = 0;
  if (absl::SimpleAtoi(node.attribute("number").value(), &staff)) {
    reader->of_staff[staff] = transposition;
  } else {
    reader->of_staff.clear();
    reader->transposition = transposition;
  }
}

int PitchClass(int fifths, int semitones) {
  return ((KeyPitchClass(fifths) + semitones) % 12 + 12) % 12;
}

WrittenKey SoundingKey(int fifths, const std::string& mode_text,
                       int semitones) {
  using Signature = NoteSequence::KeySignature;
  struct Mode {
    absl::string_view name;
    int tonic;  // steps on the circle of fifths from that of major
    Signature::Mode mode;
  };
  static constexpr Mode kModes[] = {
      {"minor", 3, Signature::MINOR},
      {"aeolian", 3, Signature::MINOR},
      {"dorian", 2, Signature::DORIAN},
      {"phrygian", 4, Signature::PHRYGIAN},
      {"lydian", -1, Signature::LYDIAN},
      {"mixolydian", 1, Signature::MIXOLYDIAN},
      {"locrian", 5, Signature::LOCRIAN},
  };
  WrittenKey key{.mode = Signature::MAJOR,
                 .accidentals = PitchClass(fifths, semitones)};
  const std::string name = absl::AsciiStrToLower(
      absl::StripAsciiWhitespace(mode_text.substr(0, 40)));
  for (const Mode& mode : kModes) {
    if (mode.name != name) continue;
    fifths = fifths % 12 + mode.tonic;
    key.mode = mode.mode;
  }
  key.key = static_cast<Signature::Key>(PitchClass(fifths, semitones));
  return key;
}

void ReadKey(pugi::xml_node node, Ticks time, PartReader* reader,
             WrittenMeasure* measure) {
  const auto fifths = ReadKeyFifths(node, reader->repair);
  if (!fifths.ok() || !fifths->has_value()) {
    reader->Warn("a key that is no major or church mode, left out");
    return;
  }
  const WrittenKey key = SoundingKey(
      **fifths, XmlText(node.child("mode")),
      TranspositionOf(*reader, std::max(node.attribute("number").as_int(1), 1))
          .semitones);
  if (measure->key_part < 0) measure->key_part = reader->part;
  auto& keys = measure->keys;
  if (measure->key_part == reader->part &&
      (keys.empty() || keys.back().start < time)) {
    keys.push_back(key);
    keys.back().start = time;
  } else if (keys[0].accidentals != key.accidentals) {
    reader->Warn("different keys at once, the first one taken");
  }
}

}  // namespace

void ReadScoreAttributes(pugi::xml_node attributes, Ticks time,
                         PartReader* reader, WrittenMeasure* measure) {
  for (const pugi::xml_node child : attributes.children()) {
    const absl::string_view name = child.name();
    if (name == "divisions") {
      const auto divisions = XmlMillionths(child, "divisions", reader->repair);
      if (divisions.ok() && *divisions > 0) {
        reader->divisions = *divisions;
        reader->has_divisions = true;
      } else {
        reader->Warn("impossible <divisions>, left out");
      }
    } else if (name == "time") {
      ReadTime(child, time, reader, measure);
    } else if (name == "transpose") {
      ReadTranspose(child, reader);
    }
  }
  // After <transpose>, wherever that stands: keys sound transposed, too.
  for (const pugi::xml_node key : attributes.children("key"))
    ReadKey(key, time, reader, measure);
}

}  // namespace continuo
