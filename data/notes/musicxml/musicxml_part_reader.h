// SPDX-License-Identifier: Apache-2.0

// What holds for a part of a MusicXML score from one measure to the next.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PART_READER_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PART_READER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_score.h"
#include "data/notes/reading.h"
#include "pugixml.hpp"

namespace continuo {

// How a part sounds against what is written.
struct Transposition {
  int semitones = 0;
  int doubling = 0;  // an octave below or above that sounds, too; 0 for none
};

// What the part list says of an instrument.
struct ScoreInstrument {
  int program = 0;
  int drum_pitch = -1;  // MIDI, of unpitched notes; -1 for none
};

// A part while its measures are read in the order in which they are written.
struct PartReader {
  int part = 0;
  Ticks ticks_per_quarter = 1;
  int64_t divisions = kXmlUnit;  // of a quarter note, in millionths
  bool has_divisions = false;
  int velocity = 64;
  Transposition transposition = {};                       // of all staves
  absl::flat_hash_map<int, Transposition> of_staff = {};  // of single ones
  absl::flat_hash_map<std::string, ScoreInstrument> instruments = {};
  ScoreInstrument instrument = {};  // of notes that name none
  ScoreRepair* repair = nullptr;
  ReadReport* report = nullptr;

  void Warn(absl::string_view kind) { report->Warn(kind); }
};

// A reader for part number `part` (0-based) with the instruments of its
// <score-part>.
PartReader MakePartReader(int part, pugi::xml_node score_part,
                          Ticks ticks_per_quarter, int64_t divisions,
                          ScoreRepair* repair, ReadReport* report);

// Nothing beyond kMaxMeasureTicks.
std::optional<Ticks> QuartersToTicks(const PartReader& reader, double quarters);

// The time of a <duration> or <offset>; nothing, with a warning, if it is none.
std::optional<Ticks> ReadLength(pugi::xml_node node, PartReader* reader);

// A velocity from `dynamics`, in per cent of forte, which is 90; nothing, with
// a warning, if it makes no sense.
std::optional<int> ReadVelocity(pugi::xml_attribute dynamics,
                                PartReader* reader);

Transposition TranspositionOf(const PartReader& reader, int staff);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PART_READER_H_
