#include "data/notes/abc_score.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "data/notes/abc_lexer.h"
#include "runtime/status.h"

namespace continuo {
namespace {

// The original's velocities of the dynamic marks.
struct Dynamic {
  absl::string_view name;
  int velocity;
};
constexpr Dynamic kDynamics[] = {
    {"pppp", 30}, {"ppp", 30}, {"pp", 45},  {"p", 60},    {"mp", 75},
    {"mf", 90},   {"f", 105},  {"ff", 120}, {"fff", 127}, {"ffff", 127}};
constexpr int kMezzoForte = 90;

// A book with more voices than an orchestra is not one tune.
constexpr size_t kMaxVoices = 64;

// In a body, "d:|" at the start of a line is music.
bool IsBodyField(absl::string_view line) {
  if (!IsAbcField(line)) return false;
  return line.size() == 2 || (line[2] != '|' && line[2] != ':');
}

// The name in "V:1 clef=treble".
absl::string_view VoiceName(absl::string_view text) {
  return text.substr(0, text.find_first_of(" \t"));
}

// Follows one voice through a tune.
class ScoreReader {
 public:
  // Reads the `voice`-th voice, counted from 0 in order of appearance.
  explicit ScoreReader(size_t voice) : voice_(voice) {}

  absl::Status ReadLine(const AbcLine& line);
  absl::Status Finish();

  AbcScore& score() { return score_; }
  size_t num_voices() const { return voices_.size(); }
  bool has_notes() const { return has_notes_; }

 private:
  absl::Status ReadField(char letter, absl::string_view text);
  absl::Status ReadMusic(absl::string_view line);
  absl::Status ReadToken(const AbcToken& token);
  absl::Status AddNote(const AbcToken& token);
  absl::Status AddRest(AbcRational length);
  void AddBar(const AbcToken& token);
  void StartTuplet(const AbcToken& token);
  void SelectVoice(absl::string_view name);
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
  bool active() const { return current_voice_ == voice_; }

  AbcScore score_;
  size_t voice_;
  std::vector<std::string> voices_;
  size_t current_voice_ = 0;

  int line_ = 0;
  std::string block_end_;  // ends the block of "%%begintext" and its like
  bool in_header_ = true;
  bool has_key_ = false;
  bool has_notes_ = false;
  AbcContext context_;
  std::optional<AbcTempo> tempo_;
  std::optional<AbcRational> unit_;

  int velocity_ = kMezzoForte;
  std::array<std::optional<int>, 7> bar_accidentals_ = {};
  std::optional<AbcPitch> tied_;  // the written form of a tied note
  int tied_pitch_ = 0;
  bool overlay_ = false;  // behind "&", until the bar ends
  int last_timed_ = -1;   // the element that "-", ">" refer to
  int broken_ = 0;        // waiting for its second note
  AbcRational tuplet_ = {1, 1};
  int tuplet_left_ = 0;
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

void ScoreReader::SelectVoice(absl::string_view name) {
  const auto found = std::find(voices_.begin(), voices_.end(), name);
  current_voice_ = static_cast<size_t>(found - voices_.begin());
  if (found == voices_.end() && voices_.size() < kMaxVoices) {
    voices_.emplace_back(name);
  }
}

absl::Status ScoreReader::ReadField(char letter, absl::string_view text) {
  // Behind the key, parts and voices are those of the music that follows.
  if (in_header_ && has_key_ && (letter == 'V' || letter == 'P')) {
    CONTINUO_RETURN_IF_ERROR(EndHeader());
  }
  if (letter == 'V') {
    // Within the header voices are only declared.
    SelectVoice(VoiceName(text));
    if (in_header_) current_voice_ = 0;
    return absl::OkStatus();
  }
  // Fields within a voice's music are that voice's.
  if (!in_header_ && !active()) return absl::OkStatus();
  AbcContext context = context_;
  switch (letter) {
    case 'C':
      if (in_header_) score_.composers.emplace_back(text);
      break;
    case 'K':
      has_key_ = true;
      if (const auto key = ParseAbcKey(text)) {
        context.key = *key;
        ChangeContext(context);
      }
      break;
    case 'L':
      if (const auto unit = ParseAbcUnit(text)) unit_ = *unit;
      break;
    case 'M':
      if (const auto meter = ParseAbcMeter(text)) {
        context.meter = *meter;
        ChangeContext(context);
      }
      break;
    case 'P':
      if (in_header_) {
        score_.part_order = std::string(text);
      } else {
        Add(AbcElement::Kind::kPart).text = std::string(text);
      }
      break;
    case 'Q':
      if (const auto tempo = ParseAbcTempo(text)) {
        tempo_ = *tempo;
        if (!in_header_) {
          context.qpm = tempo->Qpm(*unit_);
          ChangeContext(context);
        }
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
  text = StripAbcComment(text);
  if (text.empty()) return absl::OkStatus();
  // Lyrics and their like that go on in the next line.
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
      CONTINUO_RETURN_IF_ERROR(ReadField(token->field, token->text));
      continue;
    }
    // Music before any voice is named belongs to the first, called "1".
    if (voices_.empty()) voices_.emplace_back("1");
    if (active()) CONTINUO_RETURN_IF_ERROR(ReadToken(*token));
  }
  return absl::OkStatus();
}

absl::Status ScoreReader::ReadToken(const AbcToken& token) {
  using Kind = AbcToken::Kind;
  if (overlay_ && !(token.kind == Kind::kBar && token.clears)) {
    return absl::OkStatus();
  }
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
      if (last_timed_ >= 0) broken_ = token.broken;
      break;
    case Kind::kTuplet:
      StartTuplet(token);
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
      break;
    case Kind::kOverlay:
      overlay_ = true;
      break;
    case Kind::kField:
      break;  // read by ReadMusic for every voice
  }
  return absl::OkStatus();
}

void ScoreReader::StartTuplet(const AbcToken& token) {
  const int p = token.tuplet_notes;
  const AbcMeter& meter = context_.meter;
  const bool compound =
      !meter.is_free() && meter.numerator % 3 == 0 && meter.numerator > 3;
  int q = compound ? 3 : 2;
  if (p == 2 || p == 4 || p == 8) q = 3;
  if (p == 3 || p == 6) q = 2;
  q = token.tuplet_time.value_or(q);
  const int r = token.tuplet_count.value_or(p);
  // A number that no tuplet has is a slip; its notes count as written.
  constexpr int kMaxTuplet = 64;
  if (p < 1 || q < 1 || r < 1 || std::max({p, q, r}) > kMaxTuplet) return;
  tuplet_ = MakeRational(q, p);
  tuplet_left_ = r;
}

// What tuplet and broken rhythm make of the next note's or rest's length; also
// lengthens or shortens the one before it.
AbcRational ScoreReader::Timed(AbcRational written) {
  AbcRational length = written;
  if (tuplet_left_ > 0) {
    length = length * tuplet_;
    --tuplet_left_;
  }
  if (broken_ == 0) return length;
  const int dots = std::min(std::abs(broken_), 8);
  const AbcRational small = MakeRational(1, int64_t{1} << dots);
  const AbcRational large = AbcRational{2, 1} - small;
  AbcRational& before = score_.elements[last_timed_].length;
  AbcRational& longer = broken_ > 0 ? before : length;
  AbcRational& shorter = broken_ > 0 ? length : before;
  broken_ = 0;
  if (longer == shorter) {
    longer = longer * large;
    shorter = shorter * small;
  } else if (longer * small == shorter) {
    // "A>B/": the short note is already written short.
    longer = longer * large;
  }
  // Between other lengths the mark has no meaning.
  return length;
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
    int64_t pitch = 60 + kAbcLetterPitch[letter] + change +
                    12 * static_cast<int64_t>(written.octave);
    // A tie carries its accidental over the bar line.
    if (tied_ && !written.accidental && tied_->letter == letter &&
        tied_->octave == written.octave) {
      pitch = tied_pitch_;
    }
    if (pitch < 0 || pitch > 127) {
      return Error("a note outside of MIDI's range", "check its octave marks");
    }
    if (pitch > highest) {
      highest = static_cast<int>(pitch);
      highest_written = written;
    }
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

void ScoreReader::AddBar(const AbcToken& token) {
  if (token.clears) {
    bar_accidentals_.fill(std::nullopt);
    overlay_ = false;
  }
  AbcElement& bar = Add(AbcElement::Kind::kBar);
  bar.heavy = token.heavy;
  bar.repeat_end = token.repeat_end;
  bar.repeat_start = token.repeat_start;
  bar.endings = token.endings;
}

absl::Status ScoreReader::Finish() {
  if (in_header_) CONTINUO_RETURN_IF_ERROR(EndHeader());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AbcScore> ReadAbcScore(const std::vector<AbcLine>& header,
                                      const std::vector<AbcLine>& tune) {
  for (size_t voice = 0;; ++voice) {
    ScoreReader reader(voice);
    for (const auto* lines : {&header, &tune}) {
      for (const AbcLine& line : *lines) {
        CONTINUO_RETURN_IF_ERROR(reader.ReadLine(line));
      }
    }
    CONTINUO_RETURN_IF_ERROR(reader.Finish());
    if (reader.has_notes()) return std::move(reader.score());
    if (voice + 1 >= reader.num_voices()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a tune without notes: line ",
                       tune.empty() ? 0 : tune.front().number));
    }
  }
}

}  // namespace continuo
