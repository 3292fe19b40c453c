// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_jumps.h"

#include <cstddef>

namespace continuo {
namespace {

using Kind = AbcElement::Kind;

bool Sounds(const AbcElement& element) {
  return element.kind == Kind::kNote || element.kind == Kind::kRest;
}

// The place after what the mark at `at` belongs to: the next note or rest, or
// the bar line that follows the mark, or nothing.
int BehindMarked(const std::vector<AbcElement>& elements, int at) {
  if (!elements[at].to_next) return at;
  for (size_t i = at + 1; i < elements.size(); ++i) {
    if (Sounds(elements[i])) return static_cast<int>(i) + 1;
    if (elements[i].kind == Kind::kBar) return static_cast<int>(i);
  }
  return static_cast<int>(elements.size());
}

// After the bar lines at `at`, so that repeats that end there are played first;
// nothing if endings begin there.
std::optional<int> BehindBars(const std::vector<AbcElement>& elements, int at) {
  for (size_t i = at; i < elements.size(); ++i) {
    if (Sounds(elements[i]) || elements[i].kind == Kind::kPart) break;
    if (elements[i].kind != Kind::kBar) continue;
    if (!elements[i].endings.empty()) return std::nullopt;
    at = static_cast<int>(i) + 1;
  }
  return at;
}

// Places of the marks of a tune.
struct Marks {
  std::vector<int> jumps;
  std::vector<int> segnos;
  std::vector<int> fines;
  std::vector<int> leaves;  // marked as such
  std::vector<int> codas;   // either end of the way to the coda
};

Marks FindMarks(const std::vector<AbcElement>& elements) {
  Marks marks;
  for (size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].kind != Kind::kMark) continue;
    const int at = static_cast<int>(i);
    switch (elements[i].mark) {
      case AbcMark::kSegno:
        marks.segnos.push_back(at);
        break;
      case AbcMark::kFine:
        marks.fines.push_back(BehindMarked(elements, at));
        break;
      case AbcMark::kToCoda:
        marks.leaves.push_back(at);
        break;
      case AbcMark::kCoda:
        marks.codas.push_back(at);
        break;
      default:
        marks.jumps.push_back(at);
    }
  }
  return marks;
}

// Sets where the second time ends; false if that is not clear.
bool SetFine(const Marks& marks, AbcJump* jump) {
  if (marks.fines.size() != 1) return false;
  jump->stop = marks.fines[0];
  return jump->stop > jump->to && jump->stop <= jump->from;
}

bool SetCoda(const Marks& marks, AbcJump* jump) {
  if (marks.leaves.size() == 1 && marks.codas.size() == 1) {
    jump->leave = marks.leaves[0];
    jump->coda = marks.codas[0];
  } else if (marks.leaves.empty() && marks.codas.size() == 2) {
    jump->leave = marks.codas[0];
    jump->coda = marks.codas[1];
  } else {
    return false;
  }
  return jump->leave >= jump->to && jump->leave < jump->from &&
         jump->coda >= jump->from;
}

std::optional<AbcJump> ClearJump(const std::vector<AbcElement>& elements,
                                 const Marks& marks) {
  if (marks.jumps.size() != 1) return std::nullopt;
  const int at = marks.jumps[0];
  const auto from = BehindBars(elements, BehindMarked(elements, at));
  if (!from) return std::nullopt;
  const int end = static_cast<int>(elements.size());
  AbcJump jump = {.from = *from, .to = 0, .stop = end, .leave = end};
  const AbcMark mark = elements[at].mark;
  if (mark >= AbcMark::kDalSegno) {
    if (marks.segnos.size() != 1 || marks.segnos[0] >= at) return std::nullopt;
    jump.to = marks.segnos[0];
  }
  const bool has_codas = !marks.leaves.empty() || !marks.codas.empty();
  bool clear = false;
  if (mark == AbcMark::kDaCapoAlFine || mark == AbcMark::kDalSegnoAlFine) {
    clear = SetFine(marks, &jump);
  } else if (mark == AbcMark::kDaCapoAlCoda ||
             mark == AbcMark::kDalSegnoAlCoda || has_codas) {
    clear = marks.fines.empty() && SetCoda(marks, &jump);
  } else {
    clear = SetFine(marks, &jump);
  }
  if (!clear) return std::nullopt;
  return jump;
}

}  // namespace

std::optional<AbcJump> FindAbcJump(const std::vector<AbcElement>& elements,
                                   ReadReport* report) {
  const Marks marks = FindMarks(elements);
  if (marks.jumps.empty()) return std::nullopt;
  const auto jump = ClearJump(elements, marks);
  if (!jump) {
    report->Warn("a D.C. or D.S. whose end is not clear, not played",
                 static_cast<int64_t>(marks.jumps.size()));
  }
  return jump;
}

}  // namespace continuo
