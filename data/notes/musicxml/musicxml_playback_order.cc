// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_playback_order.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace continuo {
namespace {

using Marks = std::vector<const MeasureMarks*>;

// A part of the score that is played several times.
struct Section {
  int start = 0;
  int passes = 2;
  bool after_jump = false;  // repeated again after D.C. or D.S.
  // The sections within it.
  size_t inner_begin = 0;
  size_t inner_end = 0;
};

struct Ending {
  int start = 0;
  int stop = 0;
  Passes passes;
  int group = 0;
};

// Endings that follow each other.
struct EndingGroup {
  size_t first = 0;
  size_t size = 0;
  int last_pass = 1;
  int section = -1;  // that repeats to them; none for the endings of a D.C.
};

int LastPass(const Passes& passes) {
  for (size_t i = kMaxPass; i > 0; --i) {
    if (passes.test(i)) return static_cast<int>(i);
  }
  return 0;
}

// The repeats and endings of a score, in indices of measures.
struct Form {
  std::vector<Section> sections;
  std::vector<Ending> endings;
  std::vector<EndingGroup> groups;
  std::vector<int> section_ending_at;  // by measure, -1 for none
  std::vector<int> ending_starting_at;
};

// The last measure of the ending that begins at `start`. Programs leave out
// signs: a first ending ends at its repeat sign, others are one measure long.
int EndingStop(const Marks& marks, int start, bool is_first) {
  const int count = static_cast<int>(marks.size());
  for (int i = start; i < count; ++i) {
    if (i > start && (marks[i]->ending.has_value() || marks[i]->repeat_start)) {
      return i - 1;
    }
    if (marks[i]->ending_stop) return i;
    if (marks[i]->repeat_times > 0) return is_first ? i : start;
  }
  return start;
}

// Whether measure `i` is a first ending whose start is not marked: it ends here
// at a repeat sign, and a second one follows. It is taken to be one measure
// long.
bool LacksEndingStart(const Marks& marks, int i, const Form& form) {
  const bool is_in_ending =
      !form.endings.empty() && form.endings.back().stop >= i;
  return !is_in_ending && marks[i]->ending_stop && marks[i]->repeat_times > 0 &&
         i + 1 < static_cast<int>(marks.size()) &&
         marks[i + 1]->ending.has_value();
}

void FindEndings(const Marks& marks, Form* form) {
  for (int i = 0; i < static_cast<int>(marks.size()); ++i) {
    if (!marks[i]->ending.has_value() && !LacksEndingStart(marks, i, *form)) {
      continue;
    }
    const bool is_first =
        form->endings.empty() || form->endings.back().stop != i - 1;
    if (is_first) form->groups.push_back({.first = form->endings.size()});
    EndingGroup& group = form->groups.back();
    Ending ending = {.start = i,
                     .stop = EndingStop(marks, i, is_first),
                     .passes = marks[i]->ending.value_or(Passes()),
                     .group = static_cast<int>(form->groups.size()) - 1};
    if (ending.passes.none()) {
      ending.passes.set(std::min<size_t>(
          group.size == 0 ? 1 : group.last_pass + 1, kMaxPass));
    }
    group.last_pass = std::max(group.last_pass, LastPass(ending.passes));
    ++group.size;
    form->ending_starting_at[i] = static_cast<int>(form->endings.size());
    form->endings.push_back(ending);
  }
}

// The passes of a section with endings. No pass may be without one, except
// where an only ending is for all passes but the last.
int PassesOf(EndingGroup* group, Form* form) {
  if (group->size == 1) return group->last_pass + 1;
  group->last_pass = std::max(group->last_pass, 2);
  Passes all;
  for (size_t i = 0; i < group->size; ++i) {
    all |= form->endings[group->first + i].passes;
  }
  Ending& last = form->endings[group->first + group->size - 1];
  for (int pass = 1; pass <= group->last_pass; ++pass) {
    if (!all.test(pass)) last.passes.set(pass);
  }
  return group->last_pass;
}

// Whether what comes after a measure is a part of its own, to whose start an
// unsigned repeat goes back. Fine alone may stand within a section.
bool EndsSection(const MeasureMarks& marks) {
  return marks.repeat_times == 0 &&
         (marks.final_bar || (marks.fine && marks.double_bar));
}

void FindSections(const Marks& marks, Form* form) {
  struct Open {
    int start = 0;
    size_t inner_begin = 0;
  };
  std::vector<Open> open;
  int implied_start = 0;  // of a repeat without a sign at its start
  const Ending* ending = nullptr;
  for (int i = 0; i < static_cast<int>(marks.size()); ++i) {
    if (ending != nullptr && ending->stop < i) ending = nullptr;
    if (form->ending_starting_at[i] >= 0) {
      ending = &form->endings[form->ending_starting_at[i]];
    }
    if (marks[i]->repeat_start) open.push_back({i, form->sections.size()});
    // A trio that is repeated without a sign does not go back to the minuet.
    if (EndsSection(*marks[i])) implied_start = i + 1;
    if (marks[i]->repeat_times == 0) continue;
    EndingGroup* group =
        ending != nullptr ? &form->groups[ending->group] : nullptr;
    int index = group != nullptr ? group->section : -1;
    if (index < 0) {
      index = static_cast<int>(form->sections.size());
      Section section = {.start = implied_start,
                         .passes = marks[i]->repeat_times,
                         .inner_begin = form->sections.size()};
      if (!open.empty()) {
        section.start = open.back().start;
        section.inner_begin = open.back().inner_begin;
        open.pop_back();
      }
      section.inner_end = form->sections.size();
      if (group != nullptr) {
        group->section = index;
        section.passes = PassesOf(group, form);
      }
      form->sections.push_back(section);
    }
    form->sections[index].after_jump |= marks[i]->repeats_after_jump;
    form->section_ending_at[i] = index;
    implied_start = i + 1;
  }
}

Form FindForm(const Marks& marks) {
  Form form;
  form.section_ending_at.assign(marks.size(), -1);
  form.ending_starting_at.assign(marks.size(), -1);
  FindEndings(marks, &form);
  FindSections(marks, &form);
  // A second ending whose first one is not marked is not skipped.
  for (const EndingGroup& group : form.groups) {
    Ending& first = form.endings[group.first];
    if (group.section < 0 && !first.passes.test(1)) first.passes.set(1);
  }
  return form;
}

// The places that jumps lead to.
class Targets {
 public:
  void Add(int measure, const std::string& label) {
    by_label_.emplace(label, measure);
    measures_.push_back(measure);
  }
  bool empty() const { return measures_.empty(); }

  // That of the label, else the last one before `measure` or, with
  // `is_forward`, the first after it, else any.
  std::optional<int> Find(const std::string& label, int measure,
                          bool is_forward) const {
    if (empty()) return std::nullopt;
    if (const auto found = by_label_.find(label); found != by_label_.end()) {
      return found->second;
    }
    if (is_forward) {
      const auto after =
          std::upper_bound(measures_.begin(), measures_.end(), measure);
      return after != measures_.end() ? *after : measures_.back();
    }
    const auto here =
        std::lower_bound(measures_.begin(), measures_.end(), measure);
    return here != measures_.begin() ? *(here - 1) : measures_.front();
  }

 private:
  absl::flat_hash_map<std::string, int> by_label_;
  std::vector<int> measures_;  // ascending
};

class Player {
 public:
  Player(const Marks& marks, ReadReport* report)
      : marks_(marks),
        report_(report),
        form_(FindForm(marks)),
        progress_(form_.sections.size()),
        visits_(marks.size(), 0),
        has_jumped_from_(marks.size(), false) {
    for (int i = 0; i < static_cast<int>(marks.size()); ++i) {
      if (marks[i]->segno.has_value()) segnos_.Add(i, *marks[i]->segno);
      if (marks[i]->coda.has_value()) codas_.Add(i, *marks[i]->coda);
      has_jumps_ |= marks[i]->jump != JumpKind::kNone;
    }
  }

  // Nothing if it costs more than `max_cost`.
  std::optional<std::vector<int>> Play(const std::vector<int64_t>& costs,
                                       int64_t max_cost) {
    std::vector<int> order;
    int64_t cost = 0;
    int i = 0;
    while (i < static_cast<int>(marks_.size())) {
      if (const int ending = form_.ending_starting_at[i];
          ending >= 0 && !IsPlayed(form_.endings[ending])) {
        i = form_.endings[ending].stop + 1;
        if (++cost > max_cost) return std::nullopt;
        continue;
      }
      cost += costs[i];
      if (cost > max_cost) return std::nullopt;
      order.push_back(i);
      ++visits_[i];
      const std::optional<int> next = Next(i);
      if (!next.has_value()) break;
      i = *next;
    }
    return order;
  }

 private:
  struct Progress {
    int pass = 1;   // stays at the last one when done
    int jumps = 0;  // before it was last asked for
  };

  // The pass that section `index` is in.
  int& Pass(int index) {
    Progress& progress = progress_[index];
    if (progress.jumps < jumps_ && form_.sections[index].after_jump) {
      progress.pass = 1;
    }
    progress.jumps = jumps_;
    return progress.pass;
  }

  bool IsPlayed(const Ending& ending) {
    const EndingGroup& group = form_.groups[ending.group];
    const int pass = group.section >= 0 ? Pass(group.section)
                     : jump_ != nullptr ? group.last_pass
                                        : 1;
    return ending.passes.test(std::min<size_t>(pass, kMaxPass));
  }

  // The measure after `i`; nothing at the end.
  std::optional<int> Next(int i) {
    const MeasureMarks& marks = *marks_[i];
    if (IsFine(marks)) return std::nullopt;
    if (IsToCoda(i)) {
      if (const auto coda = codas_.Find(marks.to_coda_label, i, true)) {
        in_coda_ = true;
        return coda;
      }
    }
    if (const int index = form_.section_ending_at[i]; index >= 0) {
      const Section& section = form_.sections[index];
      if (int& pass = Pass(index); pass < section.passes) {
        ++pass;
        for (size_t s = section.inner_begin; s < section.inner_end; ++s) {
          progress_[s].pass = 1;
        }
        return section.start;
      }
    }
    if (const auto target = JumpFrom(i)) return target;
    return i + 1;
  }

  bool IsFine(const MeasureMarks& marks) const {
    return marks.fine && jump_ != nullptr &&
           (jump_->jump_until != JumpUntil::kCoda || in_coda_);
  }

  bool IsToCoda(int i) const {
    if (!marks_[i]->to_coda || in_coda_) return false;
    // Without D.C. and D.S., the second time.
    if (!has_jumps_) return visits_[i] >= 2;
    return jump_ != nullptr && jump_->jump_until != JumpUntil::kFine;
  }

  std::optional<int> JumpFrom(int i) {
    const MeasureMarks& marks = *marks_[i];
    if (marks.jump == JumpKind::kNone || has_jumped_from_[i]) {
      return std::nullopt;
    }
    if (marks.jump_passes.any() &&
        !marks.jump_passes.test(std::min<size_t>(visits_[i], kMaxPass))) {
      return std::nullopt;
    }
    std::optional<int> target = 0;
    if (marks.jump == JumpKind::kDalSegno) {
      target = segnos_.Find(marks.jump_label, i, false);
    }
    has_jumped_from_[i] = true;
    if (!target.has_value()) {
      report_->Warn("a D.S. without a segno, not played");
      return std::nullopt;
    }
    jump_ = &marks;
    ++jumps_;
    in_coda_ = false;
    return target;
  }

  const Marks& marks_;
  ReadReport* report_;
  const Form form_;
  Targets segnos_;
  Targets codas_;
  bool has_jumps_ = false;
  std::vector<Progress> progress_;  // of each section
  std::vector<int> visits_;
  std::vector<bool> has_jumped_from_;
  const MeasureMarks* jump_ = nullptr;  // the last one
  int jumps_ = 0;
  bool in_coda_ = false;
};

}  // namespace

std::vector<int> PlaybackOrder(const std::vector<const MeasureMarks*>& marks,
                               const std::vector<int64_t>& costs,
                               int64_t max_cost, ReadReport* report) {
  if (auto order = Player(marks, report).Play(costs, max_cost)) {
    return *std::move(order);
  }
  report->Warn("repeats beyond all measure, not played");
  std::vector<int> written(marks.size());
  std::iota(written.begin(), written.end(), 0);
  return written;
}

}  // namespace continuo
