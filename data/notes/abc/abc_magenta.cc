// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_magenta.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_magenta_fields.h"
#include "data/notes/abc/abc_magenta_sections.h"
#include "data/notes/abc/abc_rational.h"
#include "data/notes/defaults.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Magenta's resolution, default tempo and default dynamic (mf).
constexpr int kVelocity = 90;

// Where a run of characters of `set` that starts at `pos` ends.
size_t SkipAny(absl::string_view line, size_t pos, absl::string_view set) {
  const size_t end = line.find_first_not_of(set, pos);
  return end == absl::string_view::npos ? line.size() : end;
}

constexpr absl::string_view kDigits = "0123456789";
constexpr absl::string_view kSpace = " \t\n\v\f\r";

// The lexical form of one note: accidental, letter, octave marks, length.
struct MagentaNote {
  absl::string_view accidental;
  char letter = 0;
  absl::string_view octaves;
  absl::string_view length;
  size_t end = 0;
};

// The note at `pos`, if one starts there.
std::optional<MagentaNote> ScanNote(absl::string_view line, size_t pos) {
  MagentaNote note;
  size_t marks = 0;
  if (line[pos] == '=') marks = 1;
  if (line[pos] == '^' || line[pos] == '_') {
    marks = pos + 1 < line.size() && line[pos + 1] == line[pos] ? 2 : 1;
  }
  note.accidental = line.substr(pos, marks);
  pos += marks;
  if (pos >= line.size()) return std::nullopt;
  const char upper = absl::ascii_toupper(line[pos]);
  if (upper < 'A' || upper > 'G') return std::nullopt;
  note.letter = line[pos++];
  size_t end = SkipAny(line, pos, "',");
  note.octaves = line.substr(pos, end - pos);
  pos = end;
  end = SkipAny(line, SkipAny(line, SkipAny(line, pos, kDigits), "/"), kDigits);
  note.length = line.substr(pos, end - pos);
  note.end = end;
  return note;
}

// The multiplier that a length suffix stands for; invalid where Magenta fails
// ("//3", "3//", "/0").
AbcRational MagentaLength(absl::string_view text) {
  const size_t slashes = SkipAny(text, text.find('/'), "/") - text.find('/');
  const size_t slash = text.find('/');
  if (text.empty()) return {1, 1};
  if (slash == absl::string_view::npos) {
    const auto whole = ParseMagentaInteger(text);
    return whole ? AbcRational{*whole, 1} : kInvalidRational;
  }
  if (slashes == text.size()) {
    return slashes > 30 ? kInvalidRational
                        : MakeRational(1, int64_t{1} << slashes);
  }
  if (slashes > 1) return kInvalidRational;
  const auto num = slash == 0 ? std::optional<int64_t>(1)
                              : ParseMagentaInteger(text.substr(0, slash));
  const auto den = slash + 1 == text.size()
                       ? std::optional<int64_t>(2)
                       : ParseMagentaInteger(text.substr(slash + 1));
  return num && den ? MakeRational(*num, *den) : kInvalidRational;
}

// True if a chord of plain notes stands at `pos`, a "[".
bool IsChord(absl::string_view line, size_t pos) {
  size_t notes = 0;
  for (++pos; pos < line.size(); ++notes) {
    if (line[pos] == ']') return notes > 0;
    const auto note = ScanNote(line, pos);
    if (!note) return false;
    pos = note->end;
  }
  return false;
}

// Every member that reads input returns false where Magenta fails.
class MagentaReader {
 public:
  MagentaReader() {
    auto* source = sequence_.mutable_source_info();
    source->set_source_type(NoteSequence::SourceInfo::SCORE_BASED);
    source->set_encoding_type(NoteSequence::SourceInfo::ABC);
    source->set_parser(NoteSequence::SourceInfo::MAGENTA_ABC);
    sequence_.set_ticks_per_quarter(kDefaultTicksPerQuarter);
  }

  bool ReadLine(absl::string_view line) {
    line = StripAbcComment(line);
    if (line.empty()) return true;
    if (IsAbcField(line)) {
      const auto [letter, content] = SplitAbcField(line);
      return ReadField(letter, content);
    }
    if (in_header_ && !EndHeader()) return false;
    return ReadMusic(line);
  }

  bool Finish(NoteSequence* out) {
    if (in_header_ && !EndHeader()) return false;
    if (!FinishMagentaSections(&sections_, &sequence_)) return false;
    const int notes = sequence_.notes_size();
    if (notes > 0) {
      sequence_.set_total_time(sequence_.notes(notes - 1).end_time());
    }
    *out = std::move(sequence_);
    return true;
  }

 private:
  bool ReadField(char letter, absl::string_view content);
  bool ReadMeter(absl::string_view content);
  bool ReadTempo(absl::string_view content);
  bool EndHeader();
  bool AddTempo(const MagentaTempo& tempo);
  bool ReadMusic(absl::string_view line);
  bool ReadBracketField(absl::string_view line, size_t* pos, bool* found);
  bool ReadBar(absl::string_view line, size_t* pos);
  bool ReadNote(const MagentaNote& note);
  bool ApplyBrokenRhythm();
  void ReadText(absl::string_view text);

  double Qpm() const {
    const int tempos = sequence_.tempos_size();
    return tempos > 0 ? sequence_.tempos(tempos - 1).qpm() : kDefaultQpm;
  }

  NoteSequence sequence_;
  MagentaSections sections_;
  double time_ = 0;
  bool in_header_ = true;
  AbcRational unit_ = {0, 1};  // numerator 0: not set
  std::optional<MagentaTempo> header_tempo_;
  std::array<int, 7> key_ = {};
  std::array<std::optional<int>, 7> bar_ = {};
  absl::string_view broken_rhythm_;  // pending, within one line
};

bool MagentaReader::ReadField(char letter, absl::string_view content) {
  auto* metadata = sequence_.mutable_sequence_metadata();
  switch (letter) {
    case 'C':
      metadata->add_composers(std::string(content));
      if (metadata->artist().empty()) {
        metadata->set_artist(std::string(content));
      }
      return true;
    case 'K': {
      const auto key = ParseMagentaKey(content);
      if (!key) return false;
      key_ = key->accidentals;
      auto* signature = sequence_.add_key_signatures();
      signature->set_time(time_);
      signature->set_key(key->key);
      signature->set_mode(key->mode);
      return true;
    }
    case 'L': {
      const auto unit = ParseMagentaUnit(content);
      if (!unit || unit->num <= 0) return false;
      unit_ = *unit;
      return true;
    }
    case 'M':
      return ReadMeter(content);
    case 'P':
    case 'V':
      return false;
    case 'Q':
      return ReadTempo(content);
    case 'T':
      if (!in_header_) return true;
      absl::StrAppend(metadata->mutable_title(),
                      metadata->title().empty() ? "" : "; ", content);
      return true;
    case 'X': {
      const auto number = ParseMagentaInteger(content);
      if (!number) return false;
      sequence_.set_reference_number(*number);
      return true;
    }
    default:
      return true;
  }
}

bool MagentaReader::ReadMeter(absl::string_view content) {
  const auto meter = ParseMagentaMeter(content);
  if (!meter) return false;
  if (meter->is_free()) return true;
  auto* signature = sequence_.add_time_signatures();
  signature->set_time(time_);
  signature->set_numerator(meter->numerator);
  signature->set_denominator(meter->denominator);
  return true;
}

bool MagentaReader::ReadTempo(absl::string_view content) {
  const auto tempo = ParseMagentaTempo(content);
  if (!tempo) return false;
  if (tempo->ignored) return true;
  if (!in_header_) return AddTempo(*tempo);
  header_tempo_ = *tempo;
  return true;
}

bool MagentaReader::AddTempo(const MagentaTempo& tempo) {
  const AbcRational unit = tempo.has_unit ? tempo.unit : unit_;
  const AbcRational qpm = unit * AbcRational{4, 1} * AbcRational{tempo.rate, 1};
  // Magenta divides by it at the next note.
  if (!qpm.valid() || qpm.num == 0) return false;
  auto* entry = sequence_.add_tempos();
  entry->set_time(time_);
  entry->set_qpm(qpm.ToDouble());
  return true;
}

bool MagentaReader::EndHeader() {
  in_header_ = false;
  if (unit_.num == 0) {
    AbcMeter meter;
    if (sequence_.time_signatures_size() > 1) return false;
    if (sequence_.time_signatures_size() == 1) {
      const auto& signature = sequence_.time_signatures(0);
      meter = {signature.numerator(), signature.denominator()};
      // The comparison of DefaultAbcUnit needs a positive denominator.
      if (meter.denominator < 0) return false;
    }
    unit_ = DefaultAbcUnit(meter);
  }
  if (header_tempo_ && header_tempo_->rate != 0) {
    return AddTempo(*header_tempo_);
  }
  return true;
}

// "[K:G]": sets `found` if such a field stands at `pos`.
bool MagentaReader::ReadBracketField(absl::string_view line, size_t* pos,
                                     bool* found) {
  *found = false;
  const absl::string_view rest = line.substr(*pos + 1);
  if (!IsAbcField(rest)) return true;
  const size_t close = rest.find(']');
  if (close == absl::string_view::npos || close <= 2) return true;
  *found = true;
  *pos += 1 + close + 1;
  const auto [letter, content] = SplitAbcField(rest.substr(0, close));
  return ReadField(letter, content);
}

// A run of colons, bars and brackets at `pos`.
bool MagentaReader::ReadBar(absl::string_view line, size_t* pos) {
  const size_t bars = SkipAny(line, *pos, ":");
  const size_t bars_end = SkipAny(line, bars, "[]|");
  const int colons = static_cast<int>(bars - *pos);
  if (bars == bars_end) {
    *pos = bars;
    if (colons % 2 != 0) return false;
    const int times = colons / 2 + 1;
    return AddMagentaRepeat({.backward = times, .forward = times}, time_,
                            &sections_, &sequence_);
  }
  // A number after it is a variant ending.
  const size_t number = SkipAny(line, bars_end, kSpace);
  if (number < line.size() && (absl::ascii_isdigit(line[number]) ||
                               line[number] == ',' || line[number] == '-')) {
    return false;
  }
  bar_.fill(std::nullopt);
  *pos = SkipAny(line, bars_end, ":");
  const int colons_after = static_cast<int>(*pos - bars_end);
  if (colons == 0 && colons_after == 0) {
    if (bars_end - bars >= 2) {
      AddMagentaDoubleBar(time_, &sections_, &sequence_);
    }
    return true;
  }
  return AddMagentaRepeat({.backward = colons > 0 ? colons + 1 : 0,
                           .forward = colons_after > 0 ? colons_after + 1 : 0},
                          time_, &sections_, &sequence_);
}

bool MagentaReader::ReadNote(const MagentaNote& note) {
  const int letter = absl::ascii_toupper(note.letter) - 'A';
  int pitch = 60 + kAbcLetterPitch[letter];
  if (absl::ascii_islower(note.letter)) pitch += 12;
  if (!note.accidental.empty()) {
    if (note.accidental.size() > 1) return false;
    const int change =
        note.accidental[0] == '^' ? 1 : (note.accidental[0] == '_' ? -1 : 0);
    pitch += change;
    bar_[letter] = change;
  } else {
    pitch += bar_[letter].value_or(key_[letter]);
  }
  for (const char c : note.octaves) pitch += c == '\'' ? 12 : -12;
  if (pitch < 0 || pitch > 127) return false;

  const AbcRational quarters =
      unit_ * MagentaLength(note.length) * AbcRational{4, 1};
  if (!quarters.valid()) return false;
  auto* added = sequence_.add_notes();
  added->set_pitch(pitch);
  added->set_velocity(kVelocity);
  added->set_start_time(time_);
  time_ += (1 / (Qpm() / 60)) * quarters.ToDouble();
  added->set_end_time(time_);
  return broken_rhythm_.empty() || ApplyBrokenRhythm();
}

bool MagentaReader::ApplyBrokenRhythm() {
  const int notes = sequence_.notes_size();
  if (notes < 2 || broken_rhythm_.size() > 30) return false;
  auto* first = sequence_.mutable_notes(notes - 2);
  auto* second = sequence_.mutable_notes(notes - 1);
  const double length = first->end_time() - first->start_time();
  // Compared as doubles, so that it also fails by rounding as Magenta's.
  if (length != second->end_time() - second->start_time()) return false;
  const double moved =
      length / static_cast<double>(int64_t{1} << broken_rhythm_.size());
  if (broken_rhythm_[0] == '<') {
    first->set_end_time(first->end_time() - moved);
    second->set_start_time(second->start_time() - moved);
  } else {
    first->set_end_time(first->end_time() + moved);
    second->set_start_time(second->start_time() + moved);
  }
  broken_rhythm_ = {};
  return true;
}

void MagentaReader::ReadText(absl::string_view text) {
  auto* annotation = sequence_.add_text_annotations();
  annotation->set_time(time_);
  annotation->set_text(std::string(text));
  const char upper = text.empty() ? 0 : absl::ascii_toupper(text[0]);
  if (upper >= 'A' && upper <= 'G') {
    annotation->set_annotation_type(NoteSequence::TextAnnotation::CHORD_SYMBOL);
  }
}

bool MagentaReader::ReadMusic(absl::string_view line) {
  broken_rhythm_ = {};
  size_t pos = 0;
  while (pos < line.size()) {
    const char c = line[pos];
    if (const auto note = ScanNote(line, pos)) {
      pos = note->end;
      if (!ReadNote(*note)) return false;
    } else if (c == '<' || c == '>') {
      if (!broken_rhythm_.empty()) return false;
      const size_t end = SkipAny(line, pos, absl::string_view(&c, 1));
      broken_rhythm_ = line.substr(pos, end - pos);
      pos = end;
    } else if (c == '[' || c == ']' || c == '|' || c == ':') {
      bool is_field = false;
      if (c == '[') {
        if (IsChord(line, pos)) return false;
        if (!ReadBracketField(line, &pos, &is_field)) return false;
      }
      if (!is_field && !ReadBar(line, &pos)) return false;
    } else if (c == '"') {
      const size_t end = line.find('"', pos + 1);
      if (end == absl::string_view::npos) return false;
      ReadText(line.substr(pos + 1, end - pos - 1));
      pos = end + 1;
    } else if (c == '(') {
      ++pos;
      if (pos < line.size() && absl::ascii_isdigit(line[pos])) return false;
    } else if (absl::string_view(".~HLMOPSTuv)-").find(c) !=
               absl::string_view::npos) {
      ++pos;
    } else if (c == '\\') {
      if (++pos != line.size()) return false;
    } else if (absl::ascii_isspace(c)) {
      ++pos;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<NoteSequence> ReadMagentaAbcTune(
    const std::vector<AbcLine>& header, const std::vector<AbcLine>& tune,
    int* rejected) {
  int line_number = 0;
  if (rejected == nullptr) rejected = &line_number;
  MagentaReader reader;
  for (const auto* lines : {&header, &tune}) {
    for (const AbcLine& line : *lines) {
      *rejected = line.number;
      if (!reader.ReadLine(line.text)) return std::nullopt;
    }
  }
  NoteSequence sequence;
  if (!reader.Finish(&sequence)) return std::nullopt;
  return sequence;
}

}  // namespace continuo
