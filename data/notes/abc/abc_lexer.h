// SPDX-License-Identifier: Apache-2.0

// The symbols of a line of ABC music.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_LEXER_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_LEXER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_rational.h"

namespace continuo {

// No tune repeats a section that often; larger numbers of passes are cut to it.
inline constexpr int kMaxAbcPasses = 16;

// A note head: "^f'", before length and ties.
struct AbcPitch {
  int letter = 0;  // 0 to 6 for A to G
  int octave = 0;  // 0 for C to B, 1 for c to b, plus one for each "'"
  // Semitones; nothing if the key and the bar decide.
  std::optional<int> accidental;
  bool is_quarter_tone = false;  // of which accidental has the nearer whole
};

struct AbcToken {
  enum class Kind {
    kNote,        // pitches (several: a chord), length, tie
    kRest,        // length
    kBarRest,     // length in bars
    kBar,         // the fields below
    kBroken,      // broken: how many ">" (above 0) or "<" (below 0)
    kTuplet,      // tuplet_*
    kTie,         // "-" on its own: belongs to the note before
    kText,        // text between quotes
    kDecoration,  // text: the name between exclamation marks
    kGrace,       // grace_notes: how many are left out
    kField,       // field, text
    kOverlay,     // "&": another voice until the end of the bar
  };
  Kind kind = Kind::kRest;
  size_t column = 0;  // 0-based, in the line

  std::vector<AbcPitch> pitches;
  AbcRational length = {1, 1};  // in unit note lengths
  bool tie = false;

  // Bars. clears: a bar line stands here, so accidentals end. heavy: a double
  // or thick bar. repeat_end, repeat_start: how often what is before or after
  // is played, 0 without a repeat mark there. endings: the passes in which
  // what follows is played.
  bool clears = false;
  bool heavy = false;
  int repeat_end = 0;
  int repeat_start = 0;
  std::vector<int> endings;

  int broken = 0;

  int tuplet_notes = 0;             // p: written notes
  std::optional<int> tuplet_time;   // q: in the time of
  std::optional<int> tuplet_count;  // r: for the next r notes

  int grace_notes = 0;

  char field = 0;
  absl::string_view text;

  // Not empty if the symbol could not be read as notated: what was made
  // of it, as a kind of ReadReport::warnings.
  absl::string_view slip;
};

// Reads a line symbol by symbol. Spaces, slurs, single-letter decorations,
// spacers and characters without meaning are passed over. What is opened and
// not closed (quotes, braces, brackets) never takes in music beyond its bar.
class AbcLexer {
 public:
  // `line` without its comment. The views in tokens point into it.
  explicit AbcLexer(absl::string_view line);

  // The next symbol; nothing at the end of the line.
  std::optional<AbcToken> Next();

 private:
  bool IsQuote(size_t at) const {
    return line_[at] == '"' && (at == 0 || line_[at - 1] != '\\');
  }
  void PassQuotes(size_t end);
  char Peek(size_t ahead = 0) const {
    return pos_ + ahead < line_.size() ? line_[pos_ + ahead] : '\0';
  }
  std::optional<int> TakeNumber();
  std::optional<AbcPitch> TakePitch();
  AbcRational TakeLength();
  bool TakeTie();
  bool TakeChord(char close, AbcToken* token);
  bool TakeBracketField(AbcToken* token);
  bool TakeBar(AbcToken* token);
  std::vector<int> TakeEndings();
  void TakeTuplet(AbcToken* token);
  bool TakeDecoration(char mark, AbcToken* token);
  void TakeText(AbcToken* token);
  void TakeGrace(AbcToken* token);

  absl::string_view line_;
  size_t pos_ = 0;
  // Quotation marks after pos_ that may end a text: no backslash before them.
  size_t quotes_ = 0;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_LEXER_H_
