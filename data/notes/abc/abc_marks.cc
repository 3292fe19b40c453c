// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_marks.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace continuo {
namespace {

struct Name {
  absl::string_view text;
  AbcMark mark;
};
constexpr Name kNames[] = {
    {"segno", AbcMark::kSegno},
    {"coda", AbcMark::kCoda},
    {"dacoda", AbcMark::kToCoda},
    {"tocoda", AbcMark::kToCoda},
    {"fine", AbcMark::kFine},
    {"dc", AbcMark::kDaCapo},
    {"dacapo", AbcMark::kDaCapo},
    {"dcalfine", AbcMark::kDaCapoAlFine},
    {"dacapoalfine", AbcMark::kDaCapoAlFine},
    {"dcalcoda", AbcMark::kDaCapoAlCoda},
    {"dacapoalcoda", AbcMark::kDaCapoAlCoda},
    {"ds", AbcMark::kDalSegno},
    {"dalsegno", AbcMark::kDalSegno},
    {"dsalfine", AbcMark::kDalSegnoAlFine},
    {"dalsegnoalfine", AbcMark::kDalSegnoAlFine},
    {"dsalcoda", AbcMark::kDalSegnoAlCoda},
    {"dalsegnoalcoda", AbcMark::kDalSegnoAlCoda},
};
constexpr size_t kMaxLength = 32;

}  // namespace

AbcMark ParseAbcMark(absl::string_view text) {
  if (text.size() > kMaxLength) return AbcMark::kNone;
  std::string letters;
  for (const char c : text) {
    if (absl::StrContains(". -_", c)) continue;
    letters.push_back(absl::ascii_tolower(c));
  }
  for (const Name& name : kNames) {
    if (letters == name.text) return name.mark;
  }
  return AbcMark::kNone;
}

}  // namespace continuo
