// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "runtime/base/utf8.h"

namespace continuo {
namespace {

// Takes the next line, without its end (\n, \r\n, \r, \v or \f), off `text`.
absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = text->find_first_of("\n\r\v\f");
  const absl::string_view line = text->substr(0, end);
  if (end == absl::string_view::npos) {
    text->remove_prefix(text->size());
    return line;
  }
  const bool two = (*text)[end] == '\r' && end + 1 < text->size() &&
                   (*text)[end + 1] == '\n';
  text->remove_prefix(end + (two ? 2 : 1));
  return line;
}

}  // namespace

std::string DecodeAbcText(absl::string_view bytes) {
  absl::ConsumePrefix(&bytes, "\xEF\xBB\xBF");
  return Utf8OrLatin1(bytes);
}

AbcBookText SplitAbcTunes(absl::string_view text) {
  AbcBookText book;
  std::vector<AbcTuneText>& sections = book.tunes;
  bool open = false;
  int number = 0;
  while (!text.empty()) {
    const absl::string_view line = absl::StripAsciiWhitespace(TakeLine(&text));
    ++number;
    if (line.empty()) {
      open = false;
      continue;
    }
    const bool starts_tune = absl::StartsWith(line, "X:");
    if (starts_tune && open && sections.back().has_number) open = false;
    if (!open) sections.emplace_back();
    open = true;
    sections.back().lines.push_back({number, line});
    if (starts_tune) sections.back().has_number = true;
  }
  if (sections.size() >= 2 && !sections.front().has_number) {
    book.header = std::move(sections.front().lines);
    sections.erase(sections.begin());
  }
  return book;
}

absl::string_view StripAbcComment(absl::string_view line) {
  return absl::StripAsciiWhitespace(line.substr(0, line.find('%')));
}

bool IsAbcField(absl::string_view line) {
  return line.size() >= 2 && absl::ascii_isalpha(line[0]) && line[1] == ':';
}

std::pair<char, absl::string_view> SplitAbcField(absl::string_view line) {
  return {line[0], absl::StripLeadingAsciiWhitespace(line.substr(2))};
}

void SkipAbcSpace(absl::string_view* text) {
  *text = absl::StripLeadingAsciiWhitespace(*text);
}

}  // namespace continuo
