// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_marks.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "data/notes/musicxml/musicxml_document.h"

namespace continuo {
namespace {

bool IsYes(pugi::xml_attribute attribute) {
  return absl::string_view(attribute.value()) == "yes";
}

// "1", "1,2", "1-3", "1. 2." and the like; other text is skipped.
Passes ParsePasses(absl::string_view text) {
  Passes passes;
  size_t last = 0;        // the number before, 0 for none
  bool is_range = false;  // from `last`
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') is_range = last > 0;
    if (!absl::ascii_isdigit(text[i])) continue;
    size_t number = 0;
    for (; i < text.size() && absl::ascii_isdigit(text[i]); ++i) {
      number = std::min(number * 10 + (text[i] - '0'), kMaxPass);
    }
    --i;
    for (size_t pass = is_range ? last : number; pass <= number; ++pass) {
      if (pass > 0) passes.set(pass);
    }
    last = number;
    is_range = false;
  }
  return passes;
}

void ReadRepeat(pugi::xml_node repeat, MeasureMarks* marks,
                ReadReport* report) {
  const absl::string_view direction = repeat.attribute("direction").value();
  if (direction == "forward") {
    marks->repeat_start = true;
    return;
  }
  if (direction != "backward") {
    report->Warn("a repeat sign without direction, left out");
    return;
  }
  int64_t times = 2;
  if (const pugi::xml_attribute attribute = repeat.attribute("times")) {
    if (!absl::SimpleAtoi(attribute.value(), &times) || times < 1) {
      report->Warn("a repeat sign with an impossible number, played twice");
      times = 2;
    }
  }
  constexpr int64_t kMaxTimes = 1'000'000'000;
  marks->repeat_times = std::max(marks->repeat_times,
                                 static_cast<int>(std::min(times, kMaxTimes)));
  if (IsYes(repeat.attribute("after-jump"))) marks->repeats_after_jump = true;
}

void ReadBarline(pugi::xml_node barline, MeasureMarks* marks,
                 MeasureMarks* next, ReadReport* report) {
  const absl::string_view location = barline.attribute("location").value();
  if (const pugi::xml_node repeat = barline.child("repeat")) {
    if (location == "middle") {
      report->Warn("a repeat sign within a measure, left out");
    } else {
      ReadRepeat(repeat, marks, report);
    }
  }
  if (const pugi::xml_node ending = barline.child("ending")) {
    const absl::string_view type = ending.attribute("type").value();
    if (type == "start") {
      marks->ending = marks->ending.value_or(Passes()) |
                      ParsePasses(ending.attribute("number").value());
    } else {
      marks->ending_stop = true;
    }
  }
  if (location != "left" && location != "middle") {
    const absl::string_view style = barline.child("bar-style").text().get();
    marks->double_bar |= style == "light-light";
    marks->final_bar |= style == "light-heavy" || style == "heavy-heavy";
  }
  MeasureMarks* target = location == "left" ? marks : next;
  if (target == nullptr) return;
  if (barline.child("segno") && !target->segno.has_value()) {
    target->segno = XmlAttribute(barline, "segno");
  }
  if (barline.child("coda")) target->coda_sign = true;
}

void ReadSound(pugi::xml_node sound, MeasureMarks* marks) {
  if (IsYes(sound.attribute("forward-repeat"))) marks->repeat_start = true;
  if (sound.attribute("segno")) marks->segno = XmlAttribute(sound, "segno");
  if (sound.attribute("coda")) marks->coda = XmlAttribute(sound, "coda");
  if (IsYes(sound.attribute("dacapo"))) {
    marks->jump = JumpKind::kDaCapo;
    marks->jump_passes = ParsePasses(sound.attribute("time-only").value());
  }
  if (sound.attribute("dalsegno")) {
    marks->jump = JumpKind::kDalSegno;
    marks->jump_label = XmlAttribute(sound, "dalsegno");
    marks->jump_passes = ParsePasses(sound.attribute("time-only").value());
  }
  if (sound.attribute("tocoda")) {
    marks->to_coda = true;
    marks->to_coda_label = XmlAttribute(sound, "tocoda");
  }
  // "yes", or the length of the last note in divisions.
  if (const pugi::xml_attribute fine = sound.attribute("fine");
      fine && absl::string_view(fine.value()) != "no") {
    marks->fine = true;
  }
}

// The letters of a short text, in lower case: "D. C. al Fine" is "dcalfine".
std::string Letters(absl::string_view text) {
  constexpr size_t kLongest = 80;
  std::string letters;
  if (text.size() > kLongest) return letters;
  for (const char c : text) {
    if (absl::ascii_isalpha(c)) letters.push_back(absl::ascii_tolower(c));
  }
  return letters;
}

// The jump that the words of a direction ask for, where no <sound> does and
// they say nothing else.
void ReadWords(absl::string_view words, MeasureMarks* marks) {
  const std::string letters = Letters(words);
  absl::string_view rest = letters;
  JumpKind jump = JumpKind::kNone;
  if (absl::ConsumePrefix(&rest, "dacapo") ||
      absl::ConsumePrefix(&rest, "dc")) {
    jump = JumpKind::kDaCapo;
  } else if (absl::ConsumePrefix(&rest, "dalsegno") ||
             absl::ConsumePrefix(&rest, "ds")) {
    jump = JumpKind::kDalSegno;
  }
  if (jump != JumpKind::kNone &&
      (rest.empty() || absl::StartsWith(rest, "al"))) {
    if (marks->jump == JumpKind::kNone) marks->jump = jump;
    if (absl::StrContains(rest, "fine")) marks->jump_until = JumpUntil::kFine;
    if (absl::StrContains(rest, "coda")) marks->jump_until = JumpUntil::kCoda;
  } else if (letters == "fine") {
    marks->fine = true;
  } else if (letters == "tocoda" || letters == "alcoda" ||
             letters == "allacoda") {
    marks->to_coda = true;
  } else if (letters == "coda") {
    if (!marks->coda.has_value()) marks->coda = "";
  } else if (letters == "segno") {
    if (!marks->segno.has_value()) marks->segno = "";
  }
}

void ReadDirection(pugi::xml_node direction, MeasureMarks* marks) {
  bool has_segno = false;
  for (const pugi::xml_node type : direction.children("direction-type")) {
    for (const pugi::xml_node child : type.children()) {
      const absl::string_view name = child.name();
      if (name == "words") {
        ReadWords(child.text().get(), marks);
      } else if (name == "segno") {
        has_segno = true;
      } else if (name == "coda") {
        marks->coda_sign = true;
      }
    }
  }
  for (const pugi::xml_node sound : direction.children("sound")) {
    ReadSound(sound, marks);
  }
  // The sign beside "D.S." refers to the segno; it is not one.
  if (has_segno && !marks->segno.has_value() &&
      marks->jump != JumpKind::kDalSegno) {
    marks->segno = "";
  }
}

}  // namespace

void ReadMeasureMarks(pugi::xml_node measure, MeasureMarks* marks,
                      MeasureMarks* next, ReadReport* report) {
  for (const pugi::xml_node child : measure.children()) {
    const absl::string_view name = child.name();
    if (name == "barline") {
      ReadBarline(child, marks, next, report);
    } else if (name == "direction") {
      ReadDirection(child, marks);
    } else if (name == "sound") {
      ReadSound(child, marks);
    }
  }
}

void ResolveCodaSigns(const std::vector<MeasureMarks*>& marks) {
  bool has_coda = false;
  bool has_to_coda = false;
  std::vector<MeasureMarks*> signs;
  for (MeasureMarks* measure : marks) {
    has_coda |= measure->coda.has_value();
    has_to_coda |= measure->to_coda;
    // Beside "To Coda" or <sound coda>, a sign adds nothing.
    if (measure->coda_sign && !measure->to_coda && !measure->coda.has_value()) {
      signs.push_back(measure);
    }
  }
  if (!has_coda && !signs.empty()) {
    signs.back()->coda = "";
    signs.pop_back();
  }
  if (!has_to_coda && !signs.empty()) signs.front()->to_coda = true;
}

}  // namespace continuo
