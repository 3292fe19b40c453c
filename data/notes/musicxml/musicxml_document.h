// SPDX-License-Identifier: Apache-2.0

// The XML layer of the MusicXML reader: parsing within limits, and the text
// and numbers of elements.
//
// The parser expands no entities besides the five of XML and character
// references, reads no external files and does not recurse, so a hostile
// document costs at most its size times a constant.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_DOCUMENT_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pugixml.hpp"

namespace continuo {

// Limits of one document. The largest of the 650 scores in the music21 corpus,
// a Beethoven quartet, has 11 MB with 0.4 million of them; a document at both
// limits takes 0.7 GB and about a second.
inline constexpr size_t kMaxXmlBytes = size_t{64} << 20;
inline constexpr int64_t kMaxXmlMarkup = 4'000'000;  // '<' and '=' characters

// Durations, divisions and offsets are decimals in MusicXML. They are held as
// integers in millionths of the document's unit, which keeps the integers that
// nearly all files use exact.
inline constexpr int64_t kXmlUnit = 1'000'000;

// Parses a document in UTF-8, UTF-16, UTF-32 or Latin-1, as its byte order
// mark or declaration says. InvalidArgument if it is not well formed,
// ResourceExhausted if it is beyond the limits.
absl::Status ParseXml(absl::string_view bytes, pugi::xml_document* document);

// The text of `node` before its first child element; "" for none. Always valid
// UTF-8: bytes of a mislabelled encoding are taken as Latin-1.
std::string XmlText(pugi::xml_node node);

// An attribute's value, under the same promise.
std::string XmlAttribute(pugi::xml_node node, const char* name);

// The first thing for which Magenta rejects a score that was read all the same,
// as "reason: details". Empty if there is none.
class ScoreRepair {
 public:
  void Add(absl::string_view reason) {
    if (text_.empty()) text_ = std::string(reason);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The text of `node` as a decimal number in millionths. InvalidArgument
// naming the element, `name`, if it is missing (a null node), no number, or
// beyond +-1e9. Decimal points go to `repair`.
absl::StatusOr<int64_t> XmlMillionths(pugi::xml_node node, const char* name,
                                      ScoreRepair* repair);

// The same for a whole number; "4.0" is one too.
absl::StatusOr<int> XmlInteger(pugi::xml_node node, const char* name,
                               ScoreRepair* repair);

// Error messages of the reader are "reason: details", the reason without text
// from the file, so that failures can be counted by it. `text` shortened and
// escaped for a message.
std::string QuoteForMessage(absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_DOCUMENT_H_
