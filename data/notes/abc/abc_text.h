// SPDX-License-Identifier: Apache-2.0

// The text of an ABC book: decoding, and the split into tunes.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_TEXT_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_TEXT_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace continuo {

struct AbcLine {
  int number = 0;          // 1-based, in the book
  absl::string_view text;  // stripped, not empty, comments included
};

// The lines of one tune.
struct AbcTuneText {
  std::vector<AbcLine> lines;
  bool has_number = false;  // there is an "X:" field
};

struct AbcBookText {
  std::vector<AbcLine> header;  // to be read before every tune
  std::vector<AbcTuneText> tunes;
};

// The bytes as UTF-8: a byte order mark is dropped, and bytes that are not
// valid UTF-8 make the whole text count as Latin-1.
std::string DecodeAbcText(absl::string_view bytes);

// Splits decoded text at blank lines and before each "X:" field, as Magenta
// does at blank lines alone. The first section is the file header if it has no
// "X:" and others follow. Sections without "X:" elsewhere are free text or, to
// Magenta, tunes: they are kept with has_number false. The views point into
// `text`.
AbcBookText SplitAbcTunes(absl::string_view text);

// The line without its comment ("%" to the end) and outer white space.
absl::string_view StripAbcComment(absl::string_view line);

// True for "K: G": a letter and a colon, as Magenta tells fields.
bool IsAbcField(absl::string_view line);

// The letter and the text of a field line, stripped as Magenta does.
std::pair<char, absl::string_view> SplitAbcField(absl::string_view line);

// Drops the white space in front.
void SkipAbcSpace(absl::string_view* text);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_TEXT_H_
