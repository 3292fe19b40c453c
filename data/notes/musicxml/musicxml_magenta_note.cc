// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_magenta_note.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_limits.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// What <note> says before it is put together.
struct Notation {
  bool has_duration = false;
  bool has_pitch = false;
  NoteValue value;
};

absl::StatusOr<int> ReadPitch(pugi::xml_node node, int transpose,
                              ScoreRepair* repair) {
  const std::string step = XmlText(node.child("step"));
  const int semitones = StepSemitones(step);
  if (semitones < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "<step> is no letter A to G: \"", QuoteForMessage(step), "\""));
  }
  CONTINUO_ASSIGN_OR_RETURN(const int octave,
                            XmlInteger(node.child("octave"), "octave", repair));
  double alter = 0;
  const std::string alter_text = XmlText(node.child("alter"));
  if (!alter_text.empty() && !absl::SimpleAtod(alter_text, &alter)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "<alter> is no number: \"", QuoteForMessage(alter_text), "\""));
  }
  // Microtones are cut off, towards the unaltered note. The alteration stays
  // within the octave: Magenta reads C flat 4 as the B above it, and pitches
  // must be equal.
  const double pitch_class =
      std::fmod(std::fmod(semitones + std::trunc(alter), 12) + 12, 12);
  const double pitch =
      12.0 * (octave + 1.0) + pitch_class + static_cast<double>(transpose);
  if (!(pitch >= 0 && pitch <= 127)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a note outside the MIDI range: ", step, " of octave ",
                     octave, "; check <octave> and <transpose>"));
  }
  return static_cast<int>(pitch);
}

absl::Status ReadDuration(pugi::xml_node node, MagentaState* state,
                          MagentaNote* note) {
  CONTINUO_ASSIGN_OR_RETURN(note->duration,
                            XmlMillionths(node, "duration", &state->repair));
  const bool joins = note->in_chord;
  if (joins && !state->previous.has_value()) {
    return absl::InvalidArgumentError("a chord note that follows no note");
  }
  if (joins) note->duration = state->previous->duration;
  note->seconds = DurationSeconds(*state, note->duration);
  note->start = joins ? state->previous->time : state->time;
  if (!joins) state->time += note->seconds;
  return absl::OkStatus();
}

// Children count in the order in which they stand: a <chord/> after the
// <duration> comes too late to join.
absl::Status ReadChildren(pugi::xml_node node, MagentaState* state,
                          MagentaNote* note, Notation* notation) {
  for (const pugi::xml_node child : node.children()) {
    const absl::string_view name = child.name();
    if (name == "chord") {
      note->in_chord = true;
    } else if (name == "duration") {
      CONTINUO_RETURN_IF_ERROR(ReadDuration(child, state, note));
      notation->has_duration = true;
    } else if (name == "pitch") {
      CONTINUO_ASSIGN_OR_RETURN(
          note->pitch, ReadPitch(child, state->transpose, &state->repair));
      notation->has_pitch = true;
    } else if (name == "unpitched") {
      return absl::InvalidArgumentError("an unpitched note");
    } else if (name == "rest") {
      note->is_rest = true;
    } else if (name == "voice") {
      CONTINUO_ASSIGN_OR_RETURN(note->voice,
                                XmlInteger(child, "voice", &state->repair));
    } else {
      CONTINUO_RETURN_IF_ERROR(
          ReadNoteValue(child, &state->repair, &notation->value));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MagentaNote> ReadMagentaNote(pugi::xml_node node,
                                            MagentaState* state) {
  MagentaNote note;
  Notation notation;
  CONTINUO_RETURN_IF_ERROR(ReadChildren(node, state, &note, &notation));
  if (!note.is_rest && !notation.has_pitch) {
    return absl::InvalidArgumentError("a note without <pitch> or <rest>");
  }
  if (notation.has_duration) {
    const std::optional<Fraction> length = NotatedLength(notation.value);
    if (length.has_value()) {
      note.length = *length;
    } else if (!note.is_rest) {
      return absl::InvalidArgumentError(
          "a note value that is no simple fraction");
    }
  }
  CONTINUO_RETURN_IF_ERROR(CheckScoreTime(note.start));
  CONTINUO_RETURN_IF_ERROR(
      CheckScoreTime(std::max(note.start, 0.0) + note.seconds));
  state->previous = ChordAnchor{note.duration, note.start};
  return note;
}

}  // namespace continuo
