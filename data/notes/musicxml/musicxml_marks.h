// SPDX-License-Identifier: Apache-2.0

// The marks of a MusicXML measure that say what is played after it: repeats,
// endings, segno, coda, D.C., D.S. and Fine.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MARKS_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MARKS_H_

#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "data/notes/reading.h"
#include "pugixml.hpp"

namespace continuo {

// Passes through a repeated section: bit n is the n-th, bit 0 unused. Endings
// for later passes than the last one count as for that.
inline constexpr size_t kMaxPass = 63;
using Passes = std::bitset<kMaxPass + 1>;

enum class JumpKind { kNone, kDaCapo, kDalSegno };
enum class JumpUntil { kAny, kFine, kCoda };

struct MeasureMarks {
  bool repeat_start = false;  // at the left
  int repeat_times = 0;       // how often what ends at the right is played
  bool repeats_after_jump = false;
  // A bar line at the right that ends a section: light-light, or one of those
  // that end a piece.
  bool double_bar = false;
  bool final_bar = false;
  // An ending that begins here: for these passes, none for an ending without
  // numbers. `ending_stop` if it, or one that began before, ends here.
  std::optional<Passes> ending = std::nullopt;
  bool ending_stop = false;

  // Where jumps lead, to the left of the measure; labels tell several apart.
  std::optional<std::string> segno = std::nullopt;
  std::optional<std::string> coda = std::nullopt;
  // Where they start, at the right.
  JumpKind jump = JumpKind::kNone;
  JumpUntil jump_until = JumpUntil::kAny;
  std::string jump_label = {};
  Passes jump_passes = {};  // none: the first time
  bool to_coda = false;
  std::string to_coda_label = {};
  bool fine = false;
  // A coda sign without another explanation: the start or the target of a jump.
  bool coda_sign = false;
};

// Adds what the <barline>s, <direction>s and <sound>s of a part's measure say
// to `marks`, which parts share: some programs write them in all parts, others
// in the first. What stands left of the next measure goes to `next`, null at
// the end.
void ReadMeasureMarks(pugi::xml_node measure, MeasureMarks* marks,
                      MeasureMarks* next, ReadReport* report);

// Decides the coda signs of a score: with two of them, the first leads to the
// last.
void ResolveCodaSigns(const std::vector<MeasureMarks*>& marks);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MARKS_H_
