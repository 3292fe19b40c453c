// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_document.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/base/utf8.h"

namespace continuo {
namespace {

// A decimal without exponent, in millionths; further digits are cut off.
std::optional<int64_t> ParseMillionths(absl::string_view text) {
  constexpr int64_t kLimit = 1'000'000'000;
  text = absl::StripAsciiWhitespace(text);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  int64_t value = 0;
  bool digits = false;
  size_t i = 0;
  for (; i < text.size() && absl::ascii_isdigit(text[i]); ++i) {
    digits = true;
    value = value * 10 + (text[i] - '0');
    if (value > kLimit) return std::nullopt;
  }
  value *= kXmlUnit;
  if (i < text.size() && text[i] == '.') {
    int64_t scale = kXmlUnit;
    for (++i; i < text.size() && absl::ascii_isdigit(text[i]); ++i) {
      digits = true;
      scale /= 10;
      value += scale * (text[i] - '0');
    }
  }
  if (!digits || i != text.size()) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace

absl::Status ParseXml(absl::string_view bytes, pugi::xml_document* document) {
  if (bytes.size() > kMaxXmlBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a score larger than the limit: ", bytes.size(), " bytes, at most ",
        kMaxXmlBytes, "; split it into movements"));
  }
  const int64_t markup = std::count_if(
      bytes.begin(), bytes.end(), [](char c) { return c == '<' || c == '='; });
  if (markup > kMaxXmlMarkup) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a score with more tags than the limit: about ", markup,
                     " tags and attributes, at most ", kMaxXmlMarkup,
                     "; split it into movements"));
  }
  // A text of blanks counts where it is all that an element has: Magenta keeps
  // such part names.
  const pugi::xml_parse_result result =
      document->load_buffer(bytes.data(), bytes.size(),
                            pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!result) {
    return absl::InvalidArgumentError(
        absl::StrCat("not well-formed XML: ", result.description(), " at byte ",
                     result.offset, "; export the score again"));
  }
  return absl::OkStatus();
}

std::string XmlText(pugi::xml_node node) {
  std::string text;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() == pugi::node_element) break;
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      text += child.value();
    }
  }
  return Utf8OrLatin1(text);
}

std::string XmlAttribute(pugi::xml_node node, const char* name) {
  return Utf8OrLatin1(node.attribute(name).value());
}

absl::StatusOr<int64_t> XmlMillionths(pugi::xml_node node, const char* name,
                                      ScoreRepair* repair) {
  if (!node) {
    return absl::InvalidArgumentError(absl::StrCat("no <", name, ">"));
  }
  const std::string text = XmlText(node);
  const std::optional<int64_t> value = ParseMillionths(text);
  if (!value.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("<", name, "> is no number: \"", QuoteForMessage(text),
                     "\"; expected one within 1e9"));
  }
  if (text.find('.') != std::string::npos) repair->Add("a decimal number");
  return *value;
}

absl::StatusOr<int> XmlInteger(pugi::xml_node node, const char* name,
                               ScoreRepair* repair) {
  CONTINUO_ASSIGN_OR_RETURN(const int64_t value,
                            XmlMillionths(node, name, repair));
  if (value % kXmlUnit != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("<", name, "> is no whole number: \"",
                     QuoteForMessage(XmlText(node)), "\""));
  }
  return static_cast<int>(value / kXmlUnit);
}

std::string QuoteForMessage(absl::string_view text) {
  constexpr size_t kLength = 40;
  std::string quoted = absl::CHexEscape(text.substr(0, kLength));
  if (text.size() > kLength) quoted += "...";
  return quoted;
}

}  // namespace continuo
