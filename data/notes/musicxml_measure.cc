#include "data/notes/musicxml_measure.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml_attributes.h"
#include "data/notes/musicxml_chord_symbol.h"
#include "data/notes/musicxml_document.h"
#include "data/notes/musicxml_note.h"
#include "runtime/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

struct TimedMeter {
  double time = 0;
  ScoreMeter meter;
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
  std::vector<TimedMeter> meters = {};
  std::optional<TimedKey> key = std::nullopt;
};

absl::Status AddDuration(int64_t duration, Measure* measure) {
  // Far beyond kMaxScoreSeconds for any usual divisions, and far below the
  // limits of 64 bits.
  constexpr int64_t kMaxDuration = int64_t{1} << 60;
  if (duration > kMaxDuration - measure->duration) {
    return absl::InvalidArgumentError("a measure of impossible length");
  }
  measure->duration += duration;
  return absl::OkStatus();
}

bool Equal(const Meter& a, const Meter& b) {
  return a.numerator == b.numerator && a.denominator == b.denominator;
}

bool SameLength(const Meter& a, const Meter& b) {
  return int64_t{a.numerator} * b.denominator ==
         int64_t{b.numerator} * a.denominator;
}

absl::Status ReadTime(pugi::xml_node node, ScoreState* state,
                      Measure* measure) {
  const absl::Status conflict =
      absl::InvalidArgumentError("different time signatures at the same time");
  if (node.child("senza-misura")) {
    if (!measure->meters.empty()) return conflict;
    state->meter.reset();
    state->repair.Add("a passage without time signature (senza misura)");
    return absl::OkStatus();
  }
  CONTINUO_ASSIGN_OR_RETURN(const ScoreMeter meter,
                            ReadMeter(node, &state->repair));
  if (!measure->meters.empty()) {
    state->repair.Add("several time signatures in a measure");
    const TimedMeter& last = measure->meters.back();
    // Staves of one part restate the signature.
    if (Equal(meter.meter, last.meter.meter)) return absl::OkStatus();
    if (last.time == state->time) return conflict;
  }
  state->meter = meter;
  measure->meters.push_back({state->time, meter});
  return absl::OkStatus();
}

absl::Status ReadAttributes(pugi::xml_node attributes, ScoreState* state,
                            Measure* measure, ScoreBuilder* builder) {
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
      builder->has_key = true;
      CONTINUO_ASSIGN_OR_RETURN(const std::optional<int> fifths,
                                ReadKeyFifths(child, &state->repair));
      if (fifths.has_value()) measure->key = TimedKey{state->time, *fifths};
    } else if (name == "time") {
      CONTINUO_RETURN_IF_ERROR(ReadTime(child, state, measure));
    } else if (name == "transpose") {
      CONTINUO_ASSIGN_OR_RETURN(
          state->transpose,
          XmlInteger(child.child("chromatic"), "chromatic", &state->repair));
      if (measure->key.has_value()) {
        measure->key->fifths =
            TransposedFifths(measure->key->fifths, state->transpose);
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

absl::Status ReadDirection(pugi::xml_node direction, ScoreState* state,
                           const Measure& measure, ScoreBuilder* builder) {
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
      state->velocity = static_cast<int>(std::min(velocity, 127.0));
      if (velocity != std::floor(velocity)) {
        state->repair.Add("a decimal number");
      }
    }
  }
  return absl::OkStatus();
}

void AddNote(const ScoreNote& from, const Measure& measure,
             const ScorePart& part, const ScoreState& state,
             ScoreBuilder* builder) {
  NoteSequence::Note* note = builder->sequence->add_notes();
  note->set_part(measure.part_index);
  note->set_voice(from.voice);
  note->set_instrument(part.channel);
  note->set_program(part.program);
  note->set_is_drum(from.is_drum);
  note->set_pitch(from.pitch);
  note->set_velocity(state.velocity);
  const double start = std::max(from.start, 0.0);
  note->set_start_time(start);
  note->set_end_time(start + from.seconds);
  note->set_numerator(from.numerator);
  note->set_denominator(from.denominator);
}

absl::Status ReadNote(pugi::xml_node node, const ScorePart& part,
                      ScoreState* state, Measure* measure,
                      ScoreBuilder* builder) {
  CONTINUO_ASSIGN_OR_RETURN(const ScoreNote note,
                            ReadScoreNote(node, part, state));
  if (!note.is_rest) AddNote(note, *measure, part, *state, builder);
  if (note.voice != 1 || note.in_chord) return absl::OkStatus();
  return AddDuration(note.duration, measure);
}

absl::Status ReadHarmony(pugi::xml_node node, ScoreState* state,
                         ScoreBuilder* builder) {
  CONTINUO_ASSIGN_OR_RETURN(ChordSymbol symbol, ReadChordSymbol(node, state));
  if (symbol.text.empty()) return absl::OkStatus();
  NoteSequence::TextAnnotation* annotation =
      builder->sequence->add_text_annotations();
  annotation->set_time(symbol.time);
  annotation->set_text(std::move(symbol.text));
  annotation->set_annotation_type(NoteSequence::TextAnnotation::CHORD_SYMBOL);
  return absl::OkStatus();
}

// The measure's length as a time signature, in lowest terms.
absl::StatusOr<Meter> LengthAsMeter(const Measure& measure,
                                    const ScoreState& state) {
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
absl::Status FixMeter(ScoreState* state, Measure* measure) {
  if (measure->meters.size() > 1) return absl::OkStatus();  // changes within
  CONTINUO_ASSIGN_OR_RETURN(const Meter length,
                            LengthAsMeter(*measure, *state));
  if (!state->meter.has_value()) {
    state->meter = ScoreMeter{.meter = length};
    measure->meters = {{measure->start, *state->meter}};
    return absl::OkStatus();
  }
  const ScoreMeter& current = *state->meter;
  const bool is_own = !measure->meters.empty() && current.components.empty();
  // Divisions against beats: only for one division per beat is this a test for
  // a pickup, but results must be equal.
  const bool is_pickup = measure->duration < current.meter.numerator * kXmlUnit;
  if (!is_pickup && (is_own || SameLength(length, current.meter))) {
    return absl::OkStatus();
  }
  Meter fixed = length;
  if (length.numerator == length.denominator && !is_pickup) {
    fixed.numerator = fixed.denominator = current.meter.denominator;
  }
  for (const Meter& component : current.components) {
    if (SameLength(component, length)) {
      fixed = component;
      break;
    }
  }
  state->meter->meter = fixed;
  measure->meters = {{measure->start, *state->meter}};
  return absl::OkStatus();
}

void AddSignatures(const Measure& measure, ScoreBuilder* builder) {
  for (const TimedMeter& timed : measure.meters) {
    const Meter& meter = timed.meter.meter;
    if (!builder->time_signatures
             .emplace(timed.time, meter.numerator, meter.denominator)
             .second) {
      continue;
    }
    NoteSequence::TimeSignature* signature =
        builder->sequence->add_time_signatures();
    signature->set_time(timed.time);
    signature->set_numerator(meter.numerator);
    signature->set_denominator(meter.denominator);
  }
  if (measure.key.has_value() &&
      builder->key_fifths.emplace(measure.key->time, measure.key->fifths)
          .second) {
    NoteSequence::KeySignature* signature =
        builder->sequence->add_key_signatures();
    signature->set_time(measure.key->time);
    signature->set_key(static_cast<NoteSequence::KeySignature::Key>(
        KeyPitchClass(measure.key->fifths)));
  }
}

// The only <forward> of a measure without notes.
pugi::xml_node OnlyForward(pugi::xml_node measure) {
  const pugi::xml_node forward = measure.child("forward");
  if (measure.child("note") || forward.next_sibling("forward")) return {};
  return forward;
}

absl::Status ReadRest(pugi::xml_node forward, ScoreState* state,
                      Measure* measure) {
  CONTINUO_ASSIGN_OR_RETURN(
      const int64_t duration,
      XmlMillionths(forward.child("duration"), "duration", &state->repair));
  if (duration < 0) {
    return absl::InvalidArgumentError("a negative <duration>");
  }
  state->previous = ChordAnchor{duration, state->time};
  state->time += DurationSeconds(*state, duration);
  CONTINUO_RETURN_IF_ERROR(CheckScoreTime(state->time));
  return AddDuration(duration, measure);
}

absl::Status ReadChild(pugi::xml_node child, const ScorePart& part,
                       ScoreState* state, Measure* measure,
                       ScoreBuilder* builder) {
  const absl::string_view name = child.name();
  if (name == "note") return ReadNote(child, part, state, measure, builder);
  if (name == "attributes") {
    return ReadAttributes(child, state, measure, builder);
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

absl::Status ReadScoreMeasure(pugi::xml_node node, int part_index,
                              const ScorePart& part, ScoreState* state,
                              ScoreBuilder* builder) {
  Measure measure{.part_index = part_index, .start = state->time};
  const pugi::xml_node rest = OnlyForward(node);
  for (const pugi::xml_node child : node.children()) {
    if (child == rest) continue;
    CONTINUO_RETURN_IF_ERROR(ReadChild(child, part, state, &measure, builder));
  }
  if (rest) CONTINUO_RETURN_IF_ERROR(ReadRest(rest, state, &measure));
  CONTINUO_RETURN_IF_ERROR(FixMeter(state, &measure));
  AddSignatures(measure, builder);
  return absl::OkStatus();
}

}  // namespace continuo
