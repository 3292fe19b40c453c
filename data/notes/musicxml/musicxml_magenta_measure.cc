// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_magenta_measure.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_attributes.h"
#include "data/notes/musicxml/musicxml_chord_symbol.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_limits.h"
#include "data/notes/musicxml/musicxml_magenta_note.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

struct TimedMeter {
  double time = 0;
  Meter meter;
};

struct TimedKey {
  double time = 0;
  int fifths = 0;
};

// A measure while it is read.
struct Measure {
  int part_index = 0;
  double start = 0;      // seconds
  int64_t duration = 0;  // of voice 1, in millionths of a division
  // Flags, since GCC 12 takes optional ones for uninitialized.
  bool has_meter = false;
  TimedMeter meter = {};
  bool has_key = false;
  TimedKey key = {};
};

absl::Status AddDuration(int64_t duration, Measure* measure) {
  // Far beyond kMaxScoreSeconds for any usual divisions, and far below the
  // limits of 64 bits.
  constexpr int64_t kMaxDuration = int64_t{1} << 60;
  measure->duration += duration;
  if (std::abs(measure->duration) > kMaxDuration) {
    return absl::InvalidArgumentError("a measure of impossible length");
  }
  return absl::OkStatus();
}

absl::Status ReadTime(pugi::xml_node node, MagentaState* state,
                      Measure* measure) {
  if (measure->has_meter) {
    return absl::InvalidArgumentError("several time signatures in a measure");
  }
  if (node.child("senza-misura")) {
    return absl::InvalidArgumentError(
        "a passage without time signature (senza misura)");
  }
  CONTINUO_ASSIGN_OR_RETURN(const ScoreMeter meter,
                            ReadMeter(node, &state->repair));
  state->meter = meter.meter;
  measure->has_meter = true;
  measure->meter = {state->time, meter.meter};
  return absl::OkStatus();
}

absl::Status ReadAttributes(pugi::xml_node attributes, MagentaState* state,
                            Measure* measure) {
  for (const pugi::xml_node child : attributes.children()) {
    const absl::string_view name = child.name();
    if (name == "divisions") {
      CONTINUO_ASSIGN_OR_RETURN(
          state->divisions, XmlMillionths(child, "divisions", &state->repair));
      if (state->divisions <= 0) {
        return absl::InvalidArgumentError(absl::StrCat(
            "impossible <divisions>: \"", QuoteForMessage(XmlText(child)),
            "\", expected a number above 0"));
      }
    } else if (name == "key") {
      CONTINUO_ASSIGN_OR_RETURN(const std::optional<int> fifths,
                                ReadKeyFifths(child, &state->repair));
      if (fifths.has_value()) {
        measure->has_key = true;
        measure->key = {state->time, *fifths};
      }
    } else if (name == "time") {
      CONTINUO_RETURN_IF_ERROR(ReadTime(child, state, measure));
    } else if (name == "transpose") {
      CONTINUO_ASSIGN_OR_RETURN(
          state->transpose,
          XmlInteger(child.child("chromatic"), "chromatic", &state->repair));
      if (measure->has_key) {
        measure->key.fifths =
            TransposedFifths(measure->key.fifths, state->transpose);
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<double> SoundNumber(pugi::xml_attribute attribute, double low,
                                   double high) {
  double value = 0;
  if (!absl::SimpleAtod(attribute.value(), &value) || !(value >= low) ||
      !(value <= high)) {
    return absl::InvalidArgumentError(
        absl::StrCat("an impossible ", attribute.name(), " of <sound>: \"",
                     QuoteForMessage(attribute.value()),
                     "\", expected a number from ", low, " to ", high));
  }
  return value;
}

absl::Status ReadDirection(pugi::xml_node direction, MagentaState* state,
                           const Measure& measure, MagentaBuilder* builder) {
  constexpr double kDefaultQpm = 120;
  for (const pugi::xml_node sound : direction.children("sound")) {
    const pugi::xml_attribute tempo = sound.attribute("tempo");
    if (!tempo) continue;
    CONTINUO_ASSIGN_OR_RETURN(const double qpm, SoundNumber(tempo, 0, 1e6));
    state->qpm = qpm == 0 ? kDefaultQpm : qpm;
    state->seconds_per_quarter = 60 / state->qpm;
    if (measure.part_index == 0) {
      NoteSequence::Tempo* entry = builder->sequence->add_tempos();
      entry->set_time(state->time);
      entry->set_qpm(state->qpm);
    }
    if (const pugi::xml_attribute dynamics = sound.attribute("dynamics")) {
      CONTINUO_ASSIGN_OR_RETURN(const double velocity,
                                SoundNumber(dynamics, 0, 1e6));
      if (velocity > 127) {
        builder->report->Warn("a velocity above 127, lowered to it");
      }
      state->velocity = static_cast<int>(std::min(velocity, 127.0));
      if (velocity != std::floor(velocity)) {
        state->repair.Add("a decimal number");
      }
    }
  }
  return absl::OkStatus();
}

void AddNote(const MagentaNote& from, const Measure& measure,
             const MagentaState& state, MagentaBuilder* builder) {
  NoteSequence::Note* note = builder->sequence->add_notes();
  note->set_part(measure.part_index);
  note->set_voice(from.voice);
  note->set_instrument(state.channel);
  note->set_program(state.program);
  note->set_pitch(from.pitch);
  note->set_velocity(state.velocity);
  const double start = std::max(from.start, 0.0);
  note->set_start_time(start);
  note->set_end_time(start + from.seconds);
  note->set_numerator(from.length.numerator);
  note->set_denominator(from.length.denominator);
}

absl::Status ReadNote(pugi::xml_node node, MagentaState* state,
                      Measure* measure, MagentaBuilder* builder) {
  CONTINUO_ASSIGN_OR_RETURN(const MagentaNote note,
                            ReadMagentaNote(node, state));
  if (!note.is_rest) AddNote(note, *measure, *state, builder);
  if (note.voice != 1 || note.in_chord) return absl::OkStatus();
  return AddDuration(note.duration, measure);
}

absl::Status ReadHarmony(pugi::xml_node node, MagentaState* state,
                         MagentaBuilder* builder) {
  CONTINUO_ASSIGN_OR_RETURN(
      ChordSymbol symbol,
      ReadChordSymbol(node, state->transpose, &state->repair));
  if (symbol.text.empty()) return absl::OkStatus();
  const double time = state->time + DurationSeconds(*state, symbol.offset);
  CONTINUO_RETURN_IF_ERROR(CheckScoreTime(time));
  NoteSequence::TextAnnotation* annotation =
      builder->sequence->add_text_annotations();
  annotation->set_time(time);
  annotation->set_text(std::move(symbol.text));
  annotation->set_annotation_type(NoteSequence::TextAnnotation::CHORD_SYMBOL);
  return absl::OkStatus();
}

// The measure's length as a time signature, in lowest terms.
absl::StatusOr<Meter> LengthAsMeter(const Measure& measure,
                                    const MagentaState& state) {
  int64_t numerator = measure.duration;
  int64_t denominator = 4 * state.divisions;
  const int64_t divisor = std::gcd(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  if (numerator > kMax || denominator > kMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a measure of impossible length: ", numerator, "/",
                     denominator, " of a whole note; check <divisions>"));
  }
  return Meter{static_cast<int>(numerator), static_cast<int>(denominator)};
}

// Gives a measure the time signature of its length where it needs one.
absl::Status FixMeter(MagentaState* state, Measure* measure) {
  CONTINUO_ASSIGN_OR_RETURN(const Meter length,
                            LengthAsMeter(*measure, *state));
  if (!state->meter.has_value()) {
    // At 0, wherever the measure is.
    state->meter = length;
    measure->has_meter = true;
    measure->meter = {0, length};
    return absl::OkStatus();
  }
  const Meter current = *state->meter;
  // Divisions against beats: only for one division per beat is this a test for
  // a pickup, but results must be equal.
  const bool is_pickup = measure->duration < current.numerator * kXmlUnit;
  if (!is_pickup && (measure->has_meter || SameLength(length, current))) {
    return absl::OkStatus();
  }
  Meter fixed = length;
  if (length.numerator == length.denominator && !is_pickup) {
    fixed.numerator = fixed.denominator = current.denominator;
  }
  state->meter = fixed;
  measure->has_meter = true;
  measure->meter = {measure->start, fixed};
  return absl::OkStatus();
}

void AddSignatures(const Measure& measure, MagentaBuilder* builder) {
  if (measure.has_meter) {
    const auto& [time, meter] = measure.meter;
    if (builder->time_signatures
            .emplace(time, meter.numerator, meter.denominator)
            .second) {
      NoteSequence::TimeSignature* signature =
          builder->sequence->add_time_signatures();
      signature->set_time(time);
      signature->set_numerator(meter.numerator);
      signature->set_denominator(meter.denominator);
    }
  }
  if (measure.has_key &&
      builder->key_fifths.emplace(measure.key.time, measure.key.fifths)
          .second) {
    NoteSequence::KeySignature* signature =
        builder->sequence->add_key_signatures();
    signature->set_time(measure.key.time);
    signature->set_key(static_cast<NoteSequence::KeySignature::Key>(
        KeyPitchClass(measure.key.fifths)));
  }
}

// The only <forward> of a measure without notes.
pugi::xml_node OnlyForward(pugi::xml_node measure) {
  const pugi::xml_node forward = measure.child("forward");
  if (measure.child("note") || forward.next_sibling("forward")) return {};
  return forward;
}

absl::Status ReadRest(pugi::xml_node forward, MagentaState* state,
                      Measure* measure) {
  CONTINUO_ASSIGN_OR_RETURN(
      const int64_t duration,
      XmlMillionths(forward.child("duration"), "duration", &state->repair));
  state->previous = ChordAnchor{duration, state->time};
  state->time += DurationSeconds(*state, duration);
  CONTINUO_RETURN_IF_ERROR(CheckScoreTime(state->time));
  return AddDuration(duration, measure);
}

absl::Status ReadChild(pugi::xml_node child, MagentaState* state,
                       Measure* measure, MagentaBuilder* builder) {
  const absl::string_view name = child.name();
  if (name == "note") return ReadNote(child, state, measure, builder);
  if (name == "attributes") {
    return ReadAttributes(child, state, measure);
  }
  if (name == "direction") {
    return ReadDirection(child, state, *measure, builder);
  }
  if (name == "harmony") return ReadHarmony(child, state, builder);
  if (name == "backup" || name == "forward") {
    CONTINUO_ASSIGN_OR_RETURN(
        const int64_t duration,
        XmlMillionths(child.child("duration"), "duration", &state->repair));
    const double seconds = DurationSeconds(*state, duration);
    state->time += name == "backup" ? -seconds : seconds;
    return CheckScoreTime(state->time);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadMagentaMeasure(pugi::xml_node node, int part_index,
                                MagentaState* state, MagentaBuilder* builder) {
  Measure measure{.part_index = part_index, .start = state->time};
  const pugi::xml_node rest = OnlyForward(node);
  for (const pugi::xml_node child : node.children()) {
    if (child == rest) continue;
    CONTINUO_RETURN_IF_ERROR(ReadChild(child, state, &measure, builder));
  }
  if (rest) CONTINUO_RETURN_IF_ERROR(ReadRest(rest, state, &measure));
  CONTINUO_RETURN_IF_ERROR(FixMeter(state, &measure));
  AddSignatures(measure, builder);
  if (state->repair.text().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(state->repair.text());
}

}  // namespace continuo
