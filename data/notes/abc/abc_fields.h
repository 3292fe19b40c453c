// SPDX-License-Identifier: Apache-2.0

// The information fields of ABC that change how notes read: key, meter, unit
// note length, tempo. These forms take all that occurs in real books; what
// Magenta takes is in abc_magenta_fields.h.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_FIELDS_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_FIELDS_H_

#include <array>
#include <optional>

#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_rational.h"
#include "data/proto/music.pb.h"

namespace continuo {

struct AbcKey {
  // Semitones by which 'A' + i is altered.
  std::array<int, 7> accidentals = {};
  // The signature to record; absent for K:none.
  bool has_signature = false;
  tensorflow::magenta::NoteSequence::KeySignature::Key key =
      tensorflow::magenta::NoteSequence::KeySignature::C;
  tensorflow::magenta::NoteSequence::KeySignature::Mode mode =
      tensorflow::magenta::NoteSequence::KeySignature::MAJOR;
};

// Semitones above C of the letters A to G.
inline constexpr int kAbcLetterPitch[7] = {9, 11, 0, 2, 4, 5, 7};

// Sharps (or, below zero, flats) in the signature of a tonic (letter 'A' to
// 'G', altered by `alteration`) in a mode.
int AbcSignature(char letter, int alteration,
                 tensorflow::magenta::NoteSequence::KeySignature::Mode mode);

// What a signature of `sharps` (-7 to 7) does to each letter.
std::array<int, 7> AbcSignatureAccidentals(int sharps);

// The mode that a word names by its first three letters in any case ("m" too);
// MAJOR for an empty word, nothing for other words.
std::optional<tensorflow::magenta::NoteSequence::KeySignature::Mode>
ParseAbcMode(absl::string_view word);

// "G", "F#m", "Ddor", "C mixolydian ^f", "Hp", "none", "D exp _b". Nothing for
// a field that only sets a clef and the like, which leaves the key as it is.
std::optional<AbcKey> ParseAbcKey(absl::string_view text);

struct AbcMeter {
  int numerator = 0;  // 0 in free meter
  int denominator = 0;

  bool is_free() const { return numerator == 0; }
  AbcRational Bar() const { return MakeRational(numerator, denominator); }
};

// "6/8", "C", "C|", "none", "2+3/8", "(3+2)/8", and of "3/4 2/4" the first.
// Nothing if it cannot be read or has a number above 1024.
std::optional<AbcMeter> ParseAbcMeter(absl::string_view text);

// The unit note length of a tune that does not give one: 1/16 for meters
// shorter than 3/4, else 1/8.
AbcRational DefaultAbcUnit(const AbcMeter& meter);

// "1/8", "1". Nothing for anything else, zero, or numbers above 1024.
std::optional<AbcRational> ParseAbcUnit(absl::string_view text);

struct AbcTempo {
  AbcRational beat;       // in whole notes, or in unit note lengths
  bool relative = false;  // beat is in unit note lengths ("120", "C3=40")
  double rate = 0;        // beats a minute, above 0

  // Quarter notes a minute when the unit note length is `length`.
  double Qpm(AbcRational length) const;
};

// "1/4=120", "120", "C=100", "C3=40", "1/4 3/8 = 40", "120=1/4", with text in
// quotes before or after. Nothing for words alone.
std::optional<AbcTempo> ParseAbcTempo(absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_FIELDS_H_
