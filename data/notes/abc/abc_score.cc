// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_score.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "data/notes/abc/abc_lexer.h"
#include "data/notes/abc/abc_rhythm.h"
#include "data/notes/abc/abc_shift.h"
#include "data/notes/abc/abc_voices.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Magenta's velocities of the dynamic marks.
struct Dynamic {
  absl::string_view name;
  int velocity;
};
constexpr Dynamic kDynamics[] = {
    {"pppp", 30}, {"ppp", 30}, {"pp", 45},  {"p", 60},    {"mp", 75},
    {"mf", 90},   {"f", 105},  {"ff", 120}, {"fff", 127}, {"ffff", 127}};
constexpr int kMezzoForte = 90;

// In a body, "d:|" at the start of a line is music.
bool IsBodyField(absl::string_view line) {
  if (!IsAbcField(line)) return false;
  return line.size() == 2 || (line[2] != '|' && line[2] != ':');
}

// The line without its comment; "\\%" is a percent sign.
absl::string_view WithoutComment(absl::string_view line) {
  size_t end = line.find('%');
  while (end != absl::string_view::npos && end > 0 && line[end - 1] == '\\') {
    end = line.find('%', end + 1);
  }
  return absl::StripAsciiWhitespace(line.substr(0, end));
}

// True for a tempo of words alone, which has no number to be read.
bool IsTempoInWords(absl::string_view text) {
  return text.empty() || (text.front() == '"' && text.back() == '"' &&
                          text.find('"', 1) == text.size() - 1);
}

// True if a key field means to name a key, not only a clef and the like.
bool NamesKey(absl::string_view text) {
  return !text.empty() && text.front() >= 'A' && text.front() <= 'G';
}

// Follows one voice through a tune.
class ScoreReader {
 public:
  // Reads the `voice`-th voice, counted from 0 in order of appearance.
  explicit ScoreReader(size_t voice) : voice_(voice) {}

  absl::Status ReadLine(const AbcLine& line);
  absl::Status Finish();

  AbcScore& score() { return score_; }
  const ReadReport& report() const { return report_; }
  bool has_notes() const { return has_notes_; }
  // The first line with nothing but notes out of range, or 0.
  int out_of_range_line() const { return out_of_range_line_; }
  const AbcVoices& voices() const { return voices_; }

 private:
  absl::Status ReadField(char letter, absl::string_view text);
  void ReadKey(absl::string_view text);
  void ReadPart(absl::string_view text);
  void ReadTempo(absl::string_view text);
  void ReadVoice(absl::string_view text);
  absl::Status ReadMusic(absl::string_view line);
  absl::Status ReadToken(const AbcToken& token);
  absl::Status AddNote(const AbcToken& token);
  absl::Status AddRest(AbcRational length);
  void AddBar(const AbcToken& token);
  void AddMark(absl::string_view text, bool to_next);
  void ChangeContext(const AbcContext& context);
  absl::Status EndHeader();
  AbcRational Timed(AbcRational written);
  absl::Status Error(absl::string_view reason,
                     absl::string_view remedy = "") const;

  AbcElement& Add(AbcElement::Kind kind) {
    AbcElement& element = score_.elements.emplace_back();
    element.kind = kind;
    element.context = static_cast<int>(score_.contexts.size()) - 1;
    return element;
  }
  bool active() const { return voices_.current() == voice_; }

  AbcScore score_;
  ReadReport report_;
  size_t voice_;
  AbcVoices voices_;

  int line_ = 0;
  std::string block_end_;  // ends the block of "%%begintext" and its like
  bool in_header_ = true;
  bool has_key_ = false;
  bool has_notes_ = false;
  int out_of_range_line_ = 0;  // of the first note or chord that is
  AbcContext context_;
  std::optional<AbcTempo> tempo_;
  std::optional<AbcRational> unit_;
  std::vector<AbcTuneTempo> tune_tempos_;
  AbcShift tune_shift_;
  AbcShift voice_shift_;

  int velocity_ = kMezzoForte;
  std::array<std::optional<int>, 7> bar_accidentals_ = {};
  std::optional<AbcPitch> tied_;  // the written form of a tied note
  int tied_pitch_ = 0;
  bool overlay_ = false;  // after "&", until the bar ends
  int last_timed_ = -1;   // the element that "-", ">" refer to
  AbcRhythm rhythm_{&report_};
};

// In the form of all readers' messages: reason, ": ", details.
absl::Status ScoreReader::Error(absl::string_view reason,
                                absl::string_view remedy) const {
  return absl::InvalidArgumentError(absl::StrCat(
      reason, ": line ", line_, remedy.empty() ? "" : "; ", remedy));
}

void ScoreReader::ChangeContext(const AbcContext& context) {
  context_ = context;
  if (!in_header_) score_.contexts.push_back(context_);
}

absl::Status ScoreReader::EndHeader() {
  in_header_ = false;
  if (!has_key_) {
    return Error("music without a key",
                 "put a field such as \"K:C\" in front of it");
  }
  if (!unit_) unit_ = DefaultAbcUnit(context_.meter);
  if (tempo_) context_.qpm = tempo_->Qpm(*unit_);
  score_.contexts.push_back(context_);
  return absl::OkStatus();
}

void ScoreReader::ReadVoice(absl::string_view text) {
  const size_t end = std::min(text.find_first_of(" \t"), text.size());
  voices_.Select(text.substr(0, end));
  if (active()) voice_shift_.Update(ParseAbcShift(text.substr(end)));
  // Within the header voices are only declared.
  if (in_header_) voices_.SelectFirst();
}

void ScoreReader::ReadKey(absl::string_view text) {
  has_key_ = true;
  (in_header_ ? tune_shift_ : voice_shift_).Update(ParseAbcShift(text));
  if (const auto key = ParseAbcKey(text)) {
    AbcContext context = context_;
    context.key = *key;
    ChangeContext(context);
  } else if (NamesKey(text)) {
    report_.Warn("a key that cannot be read, left out");
  }
}

// In the header the order of the parts. In the music a letter names the part
// that begins, whatever the voice; other text may be a mark.
void ScoreReader::ReadPart(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (in_header_) {
    score_.part_order = std::string(text);
  } else if (text.size() == 1 && absl::ascii_isupper(text[0])) {
    Add(AbcElement::Kind::kPart).text = std::string(text);
  } else {
    AddMark(text, /*to_next=*/false);
  }
}

// A tempo is the whole tune's, whichever voice it stands in.
void ScoreReader::ReadTempo(absl::string_view text) {
  const auto tempo = ParseAbcTempo(text);
  if (!tempo) {
    if (!IsTempoInWords(text)) {
      report_.Warn("a tempo that cannot be read, left out");
    }
    return;
  }
  if (in_header_) {
    tempo_ = *tempo;
  } else if (active()) {
    AbcContext context = context_;
    context.qpm = tempo->Qpm(*unit_);
    ChangeContext(context);
  } else {
    tune_tempos_.push_back({voices_.bar(), tempo->Qpm(*unit_)});
  }
}

absl::Status ScoreReader::ReadField(char letter, absl::string_view text) {
  // After the key, parts and voices are those of the music that follows.
  if (in_header_ && has_key_ && (letter == 'V' || letter == 'P')) {
    CONTINUO_RETURN_IF_ERROR(EndHeader());
  }
  // Of the whole tune.
  if (letter == 'V') ReadVoice(text);
  if (letter == 'P') ReadPart(text);
  if (letter == 'Q') ReadTempo(text);
  // Other fields within a voice's music are that voice's.
  if (!in_header_ && !active()) return absl::OkStatus();
  AbcContext context = context_;
  switch (letter) {
    case 'C':
      if (in_header_) score_.composers.emplace_back(text);
      break;
    case 'I':
      if (absl::ConsumePrefix(&text, "MIDI")) {
        ApplyAbcMidiDirective(text, &tune_shift_);
      } else {
        (in_header_ ? tune_shift_ : voice_shift_).Update(ParseAbcShift(text));
      }
      break;
    case 'K':
      ReadKey(text);
      break;
    case 'L':
      if (const auto unit = ParseAbcUnit(text)) {
        unit_ = *unit;
      } else {
        report_.Warn("a unit note length that cannot be read, left out");
      }
      break;
    case 'M':
      if (const auto meter = ParseAbcMeter(text)) {
        context.meter = *meter;
        ChangeContext(context);
      } else {
        report_.Warn("a meter that cannot be read, left out");
      }
      break;
    case 'T':
      if (in_header_) {
        absl::StrAppend(&score_.title, score_.title.empty() ? "" : "; ", text);
      }
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

absl::Status ScoreReader::ReadLine(const AbcLine& line) {
  line_ = line.number;
  absl::string_view text = line.text;
  // Blocks of text and of PostScript between two directives.
  if (!block_end_.empty()) {
    if (absl::StartsWith(text, block_end_)) block_end_.clear();
    return absl::OkStatus();
  }
  if (absl::ConsumePrefix(&text, "%%begin")) {
    block_end_ = absl::StrCat("%%end", text.substr(0, text.find(' ')));
    return absl::OkStatus();
  }
  if (absl::ConsumePrefix(&text, "%%MIDI")) {
    if (in_header_ || active()) ApplyAbcMidiDirective(text, &tune_shift_);
    return absl::OkStatus();
  }
  text = WithoutComment(text);
  if (text.empty()) return absl::OkStatus();
  // Lyrics and similar fields that continue on the next line.
  if (absl::StartsWith(text, "+:")) return absl::OkStatus();
  if (in_header_ ? IsAbcField(text) : IsBodyField(text)) {
    const auto [letter, content] = SplitAbcField(text);
    return ReadField(letter, content);
  }
  if (in_header_) {
    // Stray words before the key field are not music yet.
    if (!has_key_) return absl::OkStatus();
    CONTINUO_RETURN_IF_ERROR(EndHeader());
  }
  return ReadMusic(text);
}

absl::Status ScoreReader::ReadMusic(absl::string_view line) {
  AbcLexer lexer(line);
  while (const auto token = lexer.Next()) {
    if (token->kind == AbcToken::Kind::kField) {
      if (active() && !token->slip.empty()) report_.Warn(token->slip);
      CONTINUO_RETURN_IF_ERROR(ReadField(token->field, token->text));
      continue;
    }
    voices_.BeginMusic();
    const bool is_note = token->kind == AbcToken::Kind::kNote;
    if (is_note) voices_.CountNote();
    if (token->clears) voices_.CountBar();
    if (active()) {
      CONTINUO_RETURN_IF_ERROR(ReadToken(*token));
    } else if (is_note) {
      report_.Warn("notes of other voices than the first, left out");
    }
  }
  return absl::OkStatus();
}

absl::Status ScoreReader::ReadToken(const AbcToken& token) {
  using Kind = AbcToken::Kind;
  if (overlay_ && !(token.kind == Kind::kBar && token.clears)) {
    if (token.kind == Kind::kNote) {
      report_.Warn("notes behind an overlay's \"&\", left out");
    }
    return absl::OkStatus();
  }
  if (!token.slip.empty()) report_.Warn(token.slip);
  switch (token.kind) {
    case Kind::kNote:
      return AddNote(token);
    case Kind::kRest:
      return AddRest(token.length * *unit_);
    case Kind::kBarRest: {
      const AbcRational bar =
          context_.meter.is_free() ? AbcRational{1, 1} : context_.meter.Bar();
      return AddRest(token.length * bar);
    }
    case Kind::kBar:
      AddBar(token);
      break;
    case Kind::kBroken:
      rhythm_.Break(token.broken);
      break;
    case Kind::kTuplet:
      rhythm_.StartTuplet(token, context_.meter);
      break;
    case Kind::kTie:
      if (last_timed_ >= 0 &&
          score_.elements[last_timed_].kind == AbcElement::Kind::kNote) {
        score_.elements[last_timed_].tie = true;
      }
      break;
    case Kind::kText:
      Add(AbcElement::Kind::kText).text = std::string(token.text);
      break;
    case Kind::kDecoration:
      for (const Dynamic& dynamic : kDynamics) {
        if (token.text == dynamic.name) velocity_ = dynamic.velocity;
      }
      AddMark(token.text, /*to_next=*/true);
      break;
    case Kind::kGrace:
      if (token.grace_notes > 0) {
        report_.Warn("grace notes, left out", token.grace_notes);
      }
      break;
    case Kind::kOverlay:
      overlay_ = true;
      break;
    case Kind::kField:
      break;  // read by ReadMusic for every voice
  }
  return absl::OkStatus();
}

AbcRational ScoreReader::Timed(AbcRational written) {
  return rhythm_.Take(written, last_timed_ < 0
                                   ? nullptr
                                   : &score_.elements[last_timed_].length);
}

absl::Status ScoreReader::AddRest(AbcRational length) {
  length = Timed(length);
  AbcElement& rest = Add(AbcElement::Kind::kRest);
  rest.length = length;
  tied_.reset();
  last_timed_ = static_cast<int>(score_.elements.size()) - 1;
  if (!rest.length.valid()) return Error("a length that cannot be read");
  return absl::OkStatus();
}

absl::Status ScoreReader::AddNote(const AbcToken& token) {
  int highest = -1;
  int dropped = 0;
  AbcPitch highest_written;
  for (const AbcPitch& written : token.pitches) {
    const int letter = written.letter;
    int change = context_.key.accidentals[letter];
    if (written.accidental) {
      change = *written.accidental;
      bar_accidentals_[letter] = change;
    } else if (bar_accidentals_[letter]) {
      change = *bar_accidentals_[letter];
    }
    if (written.is_quarter_tone) {
      report_.Warn("a quarter tone, read as the natural note");
    }
    int64_t pitch = 60 + kAbcLetterPitch[letter] + change +
                    12 * static_cast<int64_t>(written.octave) +
                    AbcSoundShift(tune_shift_, voice_shift_);
    // A tie carries its accidental over the bar line.
    if (tied_ && !written.accidental && tied_->letter == letter &&
        tied_->octave == written.octave) {
      pitch = tied_pitch_;
    }
    if (pitch < 0 || pitch > 127) {
      report_.Warn("a note outside of MIDI's range, left out");
      ++dropped;
      continue;
    }
    if (pitch > highest) {
      highest = static_cast<int>(pitch);
      highest_written = written;
    }
  }
  const int kept = static_cast<int>(token.pitches.size()) - dropped;
  if (kept > 1) {
    report_.Warn("notes of a chord below its highest, left out", kept - 1);
  }
  if (kept == 0) {
    if (out_of_range_line_ == 0) out_of_range_line_ = line_;
    return AddRest(token.length * *unit_);
  }
  const AbcRational length = Timed(token.length * *unit_);
  AbcElement& note = Add(AbcElement::Kind::kNote);
  note.pitch = highest;
  note.velocity = velocity_;
  note.tie = token.tie;
  note.length = length;
  last_timed_ = static_cast<int>(score_.elements.size()) - 1;
  has_notes_ = true;
  tied_.reset();
  if (token.tie) {
    tied_ = highest_written;
    tied_pitch_ = highest;
  }
  if (!note.length.valid()) return Error("a length that cannot be read");
  return absl::OkStatus();
}

void ScoreReader::AddMark(absl::string_view text, bool to_next) {
  const AbcMark mark = ParseAbcMark(text);
  if (mark == AbcMark::kNone) return;
  AbcElement& element = Add(AbcElement::Kind::kMark);
  element.mark = mark;
  element.to_next = to_next;
}

void ScoreReader::AddBar(const AbcToken& token) {
  if (token.clears) {
    bar_accidentals_.fill(std::nullopt);
    overlay_ = false;
  }
  AbcElement& bar = Add(AbcElement::Kind::kBar);
  bar.clears = token.clears;
  bar.heavy = token.heavy;
  bar.repeat_end = token.repeat_end;
  bar.repeat_start = token.repeat_start;
  bar.endings = token.endings;
}

absl::Status ScoreReader::Finish() {
  if (in_header_) CONTINUO_RETURN_IF_ERROR(EndHeader());
  ApplyAbcTuneTempos(std::move(tune_tempos_), &score_);
  return absl::OkStatus();
}

// Reads all lines with the reader of one voice.
absl::Status ReadLines(const std::vector<AbcLine>& header,
                       const std::vector<AbcLine>& tune, ScoreReader* reader) {
  for (const auto* lines : {&header, &tune}) {
    for (const AbcLine& line : *lines) {
      CONTINUO_RETURN_IF_ERROR(reader->ReadLine(line));
    }
  }
  return reader->Finish();
}

}  // namespace

absl::StatusOr<AbcScore> ReadAbcScore(const std::vector<AbcLine>& header,
                                      const std::vector<AbcLine>& tune,
                                      ReadReport* report) {
  // A voice whose notes all stand after "&" has none to read; a few such voices
  // are passed over.
  constexpr int kMaxTries = 4;
  int out_of_range_line = 0;
  size_t voice = 0;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    ScoreReader reader(voice);
    CONTINUO_RETURN_IF_ERROR(ReadLines(header, tune, &reader));
    if (reader.has_notes()) {
      for (const auto& [kind, count] : reader.report().warnings) {
        report->Warn(kind, count);
      }
      return std::move(reader.score());
    }
    if (out_of_range_line == 0) out_of_range_line = reader.out_of_range_line();
    voice = reader.voices().NextWithNotes(voice + 1);
    if (voice >= reader.voices().size()) break;
  }
  if (out_of_range_line > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("no note within MIDI's range: line ", out_of_range_line,
                     "; check the octave marks"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a tune without notes: line ", tune.empty() ? 0 : tune.front().number));
}

}  // namespace continuo
