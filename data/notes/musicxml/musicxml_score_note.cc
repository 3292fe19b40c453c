// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_score_note.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_notation.h"

namespace continuo {
namespace {

// What a <note> says before it is put together.
struct Notation {
  bool in_chord = false;
  bool is_grace = false;
  bool is_cue = false;
  bool is_rest = false;
  bool is_measure_rest = false;
  bool is_unpitched = false;
  bool has_type = false;
  int staff = 1;
  pugi::xml_node duration;
  pugi::xml_node pitch;
  pugi::xml_node instrument;
  NoteValue value;
  WrittenNote note;
};

void ReadTies(pugi::xml_node node, const char* name, WrittenNote* note) {
  for (const pugi::xml_node tie : node.children(name)) {
    const absl::string_view type = tie.attribute("type").value();
    if (type == "start") note->tie_start = true;
    if (type == "stop") note->tie_stop = true;
    if (type == "continue") note->tie_start = note->tie_stop = true;
  }
}

Notation ReadNotation(pugi::xml_node node, ScoreRepair* repair) {
  Notation notation;
  bool has_tie = false;
  for (const pugi::xml_node child : node.children()) {
    const absl::string_view name = child.name();
    if (name == "chord") {
      notation.in_chord = true;
    } else if (name == "grace") {
      notation.is_grace = true;
    } else if (name == "cue") {
      notation.is_cue = true;
    } else if (name == "rest") {
      notation.is_rest = true;
      notation.is_measure_rest =
          absl::string_view(child.attribute("measure").value()) == "yes";
    } else if (name == "duration") {
      notation.duration = child;
    } else if (name == "pitch") {
      notation.pitch = child;
    } else if (name == "unpitched") {
      notation.is_unpitched = true;
    } else if (name == "instrument") {
      notation.instrument = child;
    } else if (name == "tie") {
      has_tie = true;
    } else if (name == "voice" || name == "staff") {
      // A voice may have any name.
      const auto number = XmlInteger(child, child.name(), repair);
      if (number.ok()) {
        (name == "voice" ? notation.note.voice : notation.staff) = *number;
      }
    } else if (name == "type" || name == "dot" || name == "time-modification") {
      const bool is_read = ReadNoteValue(child, repair, &notation.value).ok();
      if (name == "type") notation.has_type = is_read;
    }
  }
  // <tie> is for the ear, <tied> for the eye; some have only the latter.
  if (has_tie) {
    ReadTies(node, "tie", &notation.note);
  } else {
    for (const pugi::xml_node notations : node.children("notations")) {
      ReadTies(notations, "tied", &notation.note);
    }
  }
  return notation;
}

// The length of a note; nothing if it cannot be known.
std::optional<Ticks> NoteLength(const Notation& notation,
                                const MeasureCursor& cursor,
                                PartReader* reader) {
  if (notation.in_chord && !notation.duration &&
      cursor.chord_duration.has_value()) {
    return cursor.chord_duration;
  }
  const auto millionths =
      XmlMillionths(notation.duration, "duration", reader->repair);
  if (millionths.ok() && *millionths >= 0) {
    return ReadLength(notation.duration, reader);
  }
  if (notation.has_type) {
    if (const auto length = NotatedLength(notation.value);
        length.has_value() && length->numerator > 0) {
      reader->Warn("a note of impossible <duration>, read by its note value");
      return QuartersToTicks(*reader,
                             4.0 * length->numerator / length->denominator);
    }
  }
  reader->Warn("a note of impossible <duration>, left out");
  return std::nullopt;
}

// Sets pitch, program and is_drum. False, with a warning, for a note that
// cannot sound.
bool FindPitch(PartReader* reader, Notation* notation) {
  const ScoreInstrument* instrument = &reader->instrument;
  if (notation->instrument) {
    const auto found =
        reader->instruments.find(XmlAttribute(notation->instrument, "id"));
    if (found != reader->instruments.end()) instrument = &found->second;
  }
  WrittenNote& note = notation->note;
  note.program = instrument->program;
  if (notation->is_unpitched) {
    reader->repair->Add("an unpitched note");
    if (instrument->drum_pitch < 0) {
      reader->Warn(
          "an unpitched note whose instrument has no MIDI sound "
          "(<midi-unpitched>), left out");
      return false;
    }
    note.is_drum = true;
    note.pitch = instrument->drum_pitch;
    return true;
  }
  const int semitones = StepSemitones(XmlText(notation->pitch.child("step")));
  const auto octave =
      XmlInteger(notation->pitch.child("octave"), "octave", reader->repair);
  double alter = 0;
  const std::string alter_text = XmlText(notation->pitch.child("alter"));
  if (semitones < 0 || !octave.ok() ||
      (!alter_text.empty() && !absl::SimpleAtod(alter_text, &alter))) {
    reader->Warn("a note without a usable <pitch>, left out");
    return false;
  }
  const double pitch = 12.0 * (*octave + 1.0) + semitones + std::trunc(alter) +
                       TranspositionOf(*reader, notation->staff).semitones;
  if (!(pitch >= 0 && pitch <= 127)) {
    reader->Warn("a note outside MIDI's range, left out");
    return false;
  }
  if (alter != std::floor(alter)) {
    reader->Warn("a microtone, moved to the semitone towards the natural note");
  }
  note.pitch = static_cast<int>(pitch);
  return true;
}

void AddNote(const Notation& notation, const PartReader& reader,
             std::vector<WrittenNote>* notes) {
  WrittenNote note = notation.note;
  notes->push_back(note);
  if (note.is_drum) return;
  const int doubling = TranspositionOf(reader, notation.staff).doubling;
  note.pitch += doubling;
  if (doubling != 0 && note.pitch >= 0 && note.pitch <= 127) {
    notes->push_back(note);
  }
}

}  // namespace

void MoveCursor(Ticks ticks, PartReader* reader, MeasureCursor* cursor) {
  cursor->time += ticks;
  if (cursor->time < 0) {
    reader->Warn("a <backup> beyond the start of its measure, cut off");
    cursor->time = 0;
  }
  cursor->time = std::min(cursor->time, kMaxMeasureTicks);
}

void ReadScoreNote(pugi::xml_node node, PartReader* reader,
                   MeasureCursor* cursor, std::vector<WrittenNote>* notes) {
  Notation notation = ReadNotation(node, reader->repair);
  if (notation.is_grace) {
    if (!notation.is_rest) reader->Warn("a grace note, left out");
    return;
  }
  cursor->has_notes |= !notation.is_rest;
  const std::optional<Ticks> length = NoteLength(notation, *cursor, reader);
  if (!length.has_value()) {
    if (!notation.in_chord) cursor->chord_duration.reset();
    return;
  }
  WrittenNote& note = notation.note;
  note.duration = *length;
  if (notation.in_chord && !cursor->chord_duration.has_value()) {
    reader->repair->Add("a chord note that follows no note");
    notation.in_chord = false;
  }
  if (notation.in_chord) {
    // A chord's first note says how long all can be.
    note.start = cursor->chord_start;
    note.duration = std::min(note.duration, *cursor->chord_duration);
  } else {
    note.start = cursor->chord_start = cursor->time;
    cursor->chord_duration = note.duration;
    MoveCursor(note.duration, reader, cursor);
    Ticks& extent = notation.is_measure_rest && notation.is_rest
                        ? cursor->measure_rest
                        : cursor->extent;
    extent = std::max(extent, cursor->time);
  }
  if (notation.is_rest || !FindPitch(reader, &notation)) return;
  if (notation.is_cue) {
    reader->Warn("a cue note, left out");
    return;
  }
  if (note.duration == 0) {
    reader->Warn("a note of no length, left out");
    return;
  }
  note.velocity = reader->velocity;
  if (const auto dynamics = node.attribute("dynamics")) {
    note.velocity = ReadVelocity(dynamics, reader).value_or(note.velocity);
  }
  AddNote(notation, *reader, notes);
}

}  // namespace continuo
