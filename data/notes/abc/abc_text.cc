#include "data/notes/abc/abc_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace continuo {
namespace {

// Length of the UTF-8 character at the front of `s`, 0 if it is not one.
size_t Utf8Length(absl::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || s.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and values above U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool IsUtf8(absl::string_view s) {
  while (!s.empty()) {
    const size_t length = Utf8Length(s);
    if (length == 0) return false;
    s.remove_prefix(length);
  }
  return true;
}

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
  if (IsUtf8(bytes)) return std::string(bytes);
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      text.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return text;
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

}  // namespace continuo
