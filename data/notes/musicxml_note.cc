#include "data/notes/musicxml_note.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml_document.h"
#include "runtime/status.h"

namespace continuo {
namespace {

// Note types and their lengths in 1024ths of a whole note.
struct NoteType {
  absl::string_view name;
  int length;
};
constexpr NoteType kNoteTypes[] = {
    {"maxima", 8192}, {"long", 4096},   {"breve", 2048}, {"whole", 1024},
    {"half", 512},    {"quarter", 256}, {"eighth", 128}, {"16th", 64},
    {"32nd", 32},     {"64th", 16},     {"128th", 8},    {"256th", 4},
    {"512th", 2},     {"1024th", 1},
};
constexpr int kTypeUnit = 1024;
constexpr int kMaxDots = 10;  // the symbol is never printed with more than 4
constexpr int kMaxTuplet = 4096;  // notes of a tuplet

// What <note> says before it is put together.
struct Notation {
  bool has_duration = false;
  bool has_pitch = false;
  bool is_unpitched = false;
  std::string instrument;
  int type_length = 256;  // a quarter where there is no <type>
  int dots = 0;
  int tuplet_actual = 1;
  int tuplet_normal = 1;
};

absl::StatusOr<int> ReadType(pugi::xml_node node) {
  const std::string text = XmlText(node);
  for (const NoteType& type : kNoteTypes) {
    if (type.name == text) return type.length;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("<type> is no note value: \"", QuoteForMessage(text),
                   "\", expected one such as \"quarter\""));
}

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
  // within the octave: the original reads C flat 4 as the B above it, and
  // pitches must be equal.
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

absl::Status ReadDuration(pugi::xml_node node, ScoreState* state,
                          ScoreNote* note) {
  CONTINUO_ASSIGN_OR_RETURN(note->duration,
                            XmlMillionths(node, "duration", &state->repair));
  if (note->duration < 0) {
    return absl::InvalidArgumentError("a negative <duration>");
  }
  if (note->in_chord && !state->previous.has_value()) {
    state->repair.Add("a chord note that follows no note");
    note->in_chord = false;
  }
  const bool joins = note->in_chord;
  if (joins) note->duration = state->previous->duration;
  note->seconds = DurationSeconds(*state, note->duration);
  note->start = joins ? state->previous->time : state->time;
  if (!joins) state->time += note->seconds;
  return absl::OkStatus();
}

absl::Status ReadTuplet(pugi::xml_node node, ScoreRepair* repair,
                        Notation* notation) {
  CONTINUO_ASSIGN_OR_RETURN(
      notation->tuplet_actual,
      XmlInteger(node.child("actual-notes"), "actual-notes", repair));
  CONTINUO_ASSIGN_OR_RETURN(
      notation->tuplet_normal,
      XmlInteger(node.child("normal-notes"), "normal-notes", repair));
  if (notation->tuplet_actual < 1 || notation->tuplet_actual > kMaxTuplet ||
      notation->tuplet_normal < 1 || notation->tuplet_normal > kMaxTuplet) {
    return absl::InvalidArgumentError(
        absl::StrCat("an impossible tuplet: ", notation->tuplet_actual,
                     " notes in the time of ", notation->tuplet_normal));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> DrumPitch(const Notation& notation, const ScorePart& part) {
  const auto found = part.drum_pitches.find(notation.instrument);
  if (found != part.drum_pitches.end()) return found->second;
  if (notation.instrument.empty() && part.drum_pitches.size() == 1) {
    return part.drum_pitches.begin()->second;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "an unpitched note without a MIDI sound: instrument \"",
      QuoteForMessage(notation.instrument),
      "\" has no <midi-unpitched> in the part list; assign percussion sounds "
      "in the notation program, or remove the part"));
}

// Numerators stay below 8192 * 2047 * 4096, within 64 bits.
absl::Status SetNotatedLength(const Notation& notation, ScoreNote* note) {
  const int64_t dotted = (int64_t{2} << notation.dots) - 1;
  int64_t numerator = notation.type_length * dotted * notation.tuplet_normal;
  int64_t denominator =
      kTypeUnit * (int64_t{1} << notation.dots) * notation.tuplet_actual;
  const int64_t divisor = std::gcd(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  if (numerator > kMax || denominator > kMax) {
    return absl::InvalidArgumentError(
        "a note value that is no simple fraction");
  }
  note->numerator = static_cast<int>(numerator);
  note->denominator = static_cast<int>(denominator);
  return absl::OkStatus();
}

// Children count in the order in which they stand: a <chord/> after the
// <duration> comes too late to join, as in the original.
absl::Status ReadChildren(pugi::xml_node node, ScoreState* state,
                          ScoreNote* note, Notation* notation) {
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
      notation->is_unpitched = true;
    } else if (name == "instrument") {
      notation->instrument = XmlAttribute(child, "id");
    } else if (name == "rest") {
      note->is_rest = true;
    } else if (name == "voice") {
      CONTINUO_ASSIGN_OR_RETURN(note->voice,
                                XmlInteger(child, "voice", &state->repair));
    } else if (name == "type") {
      CONTINUO_ASSIGN_OR_RETURN(notation->type_length, ReadType(child));
    } else if (name == "dot") {
      if (++notation->dots > kMaxDots) {
        return absl::InvalidArgumentError(
            absl::StrCat("too many dots: at most ", kMaxDots));
      }
    } else if (name == "time-modification") {
      CONTINUO_RETURN_IF_ERROR(ReadTuplet(child, &state->repair, notation));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ScoreNote> ReadScoreNote(pugi::xml_node node,
                                        const ScorePart& part,
                                        ScoreState* state) {
  ScoreNote note;
  Notation notation;
  CONTINUO_RETURN_IF_ERROR(ReadChildren(node, state, &note, &notation));
  if (!note.is_rest) {
    if (notation.is_unpitched) {
      CONTINUO_ASSIGN_OR_RETURN(note.pitch, DrumPitch(notation, part));
      note.is_drum = true;
      state->repair.Add("an unpitched note");
    } else if (!notation.has_pitch) {
      return absl::InvalidArgumentError(
          "a note without <pitch>, <unpitched> or <rest>");
    }
  }
  if (notation.has_duration) {
    CONTINUO_RETURN_IF_ERROR(SetNotatedLength(notation, &note));
  }
  CONTINUO_RETURN_IF_ERROR(CheckScoreTime(note.start));
  CONTINUO_RETURN_IF_ERROR(
      CheckScoreTime(std::max(note.start, 0.0) + note.seconds));
  state->previous = ChordAnchor{note.duration, note.start};
  return note;
}

int StepSemitones(absl::string_view step) {
  constexpr int kSemitones[] = {9, 11, 0, 2, 4, 5, 7};  // A to G
  if (step.size() != 1 || step[0] < 'A' || step[0] > 'G') return -1;
  return kSemitones[step[0] - 'A'];
}

}  // namespace continuo
