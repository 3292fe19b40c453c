// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_playback_order.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_jumps.h"
#include "data/notes/abc/abc_lexer.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using Kind = AbcElement::Kind;

absl::Status TooLong() {
  return absl::ResourceExhaustedError(
      absl::StrCat("played out with its repeats the tune has more than ",
                   kMaxAbcPlayed, " notes; shorten it or remove repeats"));
}

bool Contains(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// The endings of a tune belong together in groups ("1" and "2" of one repeat),
// each with its group's highest number.
struct Ending {
  int group = 0;  // where its first ending is
  int highest = 0;
  bool complete = false;  // the group has an ending for the first pass
  // Of the group's last: the element after the bar line at which it is as long
  // as the first, so that new music begins there; 0 for none.
  int outgrown = 0;
  // Where each pass (from 1) continues: this ending, a later one of its group,
  // or what follows all of them.
  std::array<int, kMaxAbcPasses + 1> goes_to = {};
};

// What GroupEndings finds out about each ending, and where it is.
struct Endings {
  std::vector<int> index;  // like `elements`: into `endings`, or -1
  std::vector<Ending> endings;
};

// The element after the first bar line of [begin, end) before which as much has
// sounded as `length` and after which there is music; 0 for none.
int Outgrown(const std::vector<AbcElement>& elements, int begin, int end,
             AbcRational length) {
  AbcRational sum;
  int outgrown = 0;
  for (int i = begin; i < end; ++i) {
    const AbcElement& element = elements[i];
    if (element.kind == Kind::kNote || element.kind == Kind::kRest) {
      if (outgrown > 0) return outgrown;
      sum = sum + element.length;
    } else if (element.kind == Kind::kBar) {
      if (element.heavy || element.repeat_end > 0) return 0;
      const AbcRational more = sum - length;
      if (more.valid() && more.num >= 0 && element.clears) outgrown = i + 1;
    }
  }
  return 0;
}

AbcRational LengthOf(const std::vector<AbcElement>& elements, int begin,
                     int end) {
  AbcRational sum;
  for (int i = begin; i < end; ++i) sum = sum + elements[i].length;
  return sum;
}

// A group ends at an ending that starts over, a forward repeat, or a closing
// bar after it.
Endings GroupEndings(const std::vector<AbcElement>& elements) {
  Endings found;
  found.index.assign(elements.size(), -1);
  std::vector<int> group;
  int highest = 0;
  int closing = -1;  // a closing bar after the last ending
  const auto close = [&](int after) {
    if (group.empty()) return;
    Ending ending = {.group = group[0],
                     .highest = highest,
                     .complete = Contains(elements[group[0]].endings, 1)};
    ending.goes_to.fill(after);
    // From the last to the first: each takes its passes for itself.
    const size_t start = found.endings.size();
    found.endings.resize(start + group.size());
    for (size_t k = group.size(); k-- > 0;) {
      for (const int pass : elements[group[k]].endings) {
        ending.goes_to[pass] = group[k];
      }
      found.endings[start + k] = ending;
      found.index[group[k]] = static_cast<int>(start + k);
    }
    if (group.size() > 1) {
      found.endings.back().outgrown =
          Outgrown(elements, group.back() + 1, after,
                   LengthOf(elements, group[0], group[1]));
    }
    group.clear();
    highest = 0;
    closing = -1;
  };
  for (size_t i = 0; i < elements.size(); ++i) {
    const AbcElement& bar = elements[i];
    const int at = static_cast<int>(i);
    if (bar.kind == Kind::kPart) close(at);
    if (bar.kind == Kind::kNote || bar.kind == Kind::kRest) {
      // ":|" and "[2" may stand apart, but with nothing between them.
      if (closing >= 0) close(closing);
    }
    if (bar.kind != Kind::kBar) continue;
    if (bar.endings.empty()) {
      if (bar.repeat_end > 0 && !group.empty()) closing = at;
      if (bar.repeat_start > 0) close(at);
      continue;
    }
    if (!group.empty() && Contains(bar.endings, 1)) close(at);
    closing = -1;
    group.push_back(at);
    highest = std::max(
        highest, *std::max_element(bar.endings.begin(), bar.endings.end()));
  }
  close(closing >= 0 ? closing : static_cast<int>(elements.size()));
  return found;
}

// Plays ranges of elements, and counts the steps of it: many bars without notes
// must not take long either.
class Player {
 public:
  Player(const std::vector<AbcElement>& elements, int64_t* work)
      : elements_(elements), endings_(GroupEndings(elements)), work_(work) {}

  // Appends [begin, end), one part or the whole tune, to the order.
  absl::Status Play(int begin, int end) {
    return Play(begin, end, {.from = -1});
  }
  // With a jump, or none (from < 0).
  absl::Status Play(int begin, int end, const AbcJump& jump);

  std::vector<int>& order() { return order_; }

 private:
  void StartSection(int at) {
    section_ = at;
    pass_ = 1;
    wanted_ = 0;
    last_ending_ = 0;
    empty_ = true;
    before_double_bar_ = -1;
    farthest_ = at;
    outgrown_ = 0;
  }
  const Ending* EndingAt(int at) const {
    const int index = endings_.index[at];
    return index < 0 ? nullptr : &endings_.endings[index];
  }
  void StartAtDoubleBar(int at);
  bool PlayBar(int* at);
  bool GoToEnding(int pass, int* at);

  const std::vector<AbcElement>& elements_;
  const Endings endings_;
  std::vector<int> order_;
  int64_t* work_;

  bool jumped_ = false;  // after D.C. or D.S.: repeats are not played again
  int section_ = 0;      // the element to which the next repeat goes back
  int pass_ = 1;         // through this section
  int wanted_ = 0;       // passes that the forward repeat asks for
  int last_ending_ = 0;  // highest number among the section's endings
  bool empty_ = true;    // nothing has sounded in the section
  int farthest_ = 0;     // the element up to which the section was played
  // Where the section before a double bar started: a repeat that follows the
  // double bar at once ("|| :|") means that one.
  int before_double_bar_ = -1;
  int outgrown_ = 0;  // as in the section's last ending, once that is played
};

void Player::StartAtDoubleBar(int at) {
  // What is played again has been cut into sections before.
  if (empty_ || at <= farthest_) return;
  // Inside a repeat, except its last ending, it is only a mark.
  const bool open = last_ending_ > 0 ? pass_ < std::max(wanted_, last_ending_)
                                     : wanted_ > 0 || pass_ > 1;
  if (open) return;
  const int before = last_ending_ > 0 ? -1 : section_;
  StartSection(at);
  before_double_bar_ = before;
}

// Goes through the bar at `*at`, which becomes the element before the next to
// play; or another bar to go through in its turn, which gives true.
bool Player::PlayBar(int* at) {
  const AbcElement& bar = elements_[*at];
  const Ending* ending = EndingAt(*at);
  // Straight to the last ending.
  if (jumped_) return ending != nullptr && GoToEnding(ending->highest, at);
  if (ending != nullptr) {
    last_ending_ = std::max(last_ending_, ending->highest);
  }
  if (bar.repeat_end > 0) {
    if (empty_ && before_double_bar_ >= 0) section_ = before_double_bar_;
    if (pass_ < std::max({bar.repeat_end, wanted_, last_ending_})) {
      ++pass_;
      farthest_ = std::max(farthest_, *at);
      *at = section_ - 1;
      return false;
    }
    if (ending == nullptr && outgrown_ > 0 && outgrown_ < *at) {
      // "|1 A :|2 B | C D :|": the second ending is over, C D comes again.
      const int at_repeat = *at;
      StartSection(outgrown_);
      ++pass_;
      farthest_ = at_repeat;
      *at = section_ - 1;
      return false;
    }
    // ":|2": the endings still belong to this section.
    if (ending == nullptr) StartSection(*at + 1);
  } else if (bar.heavy) {
    StartAtDoubleBar(*at + 1);
  }
  if (bar.repeat_start > 0) {
    StartSection(*at + 1);
    wanted_ = bar.repeat_start;
  }
  // "A :|2 B" names no first ending: what is come to is played.
  if (ending == nullptr || !ending->complete) return false;
  return GoToEnding(pass_, at);
}

// From the ending at `*at` to the one that `pass` plays, or to what follows
// all of them, which is to be gone through in its turn (true).
bool Player::GoToEnding(int pass, int* at) {
  const int to = EndingAt(*at)->goes_to[pass];
  const bool is_ending = to < static_cast<int>(elements_.size()) &&
                         Contains(elements_[to].endings, pass);
  const bool of_group =
      is_ending && to >= *at && EndingAt(to)->group == EndingAt(*at)->group;
  *at = to;
  if (of_group) outgrown_ = EndingAt(to)->outgrown;
  return !of_group;
}

absl::Status Player::Play(int begin, int end, const AbcJump& jump) {
  StartSection(begin);
  for (int i = begin;; ++i) {
    if (--*work_ < 0) return TooLong();
    if (i == jump.from && !jumped_) {
      jumped_ = true;
      i = jump.to - 1;
      continue;
    }
    if (jumped_ && i == jump.stop) break;
    if (jumped_ && i == jump.leave) i = jump.coda;
    if (i >= end) break;
    const Kind kind = elements_[i].kind;
    if (kind == Kind::kBar) {
      while (i < end && elements_[i].kind == Kind::kBar && PlayBar(&i)) {
        if (--*work_ < 0) return TooLong();
      }
      i = std::min(i, end - 1);
    } else if (kind == Kind::kPart) {
      StartAtDoubleBar(i + 1);
    } else if (kind != Kind::kMark) {
      if (order_.size() >= kMaxAbcPlayed) return TooLong();
      order_.push_back(i);
      if (kind != Kind::kText) empty_ = false;
    }
  }
  return absl::OkStatus();
}

// One part of the tune, without its label.
struct Part {
  int begin = 0;
  int end = 0;
  bool sounds = false;
};

// The parts by their letters, A to Z. A letter that comes again, as it does
// where each voice has its own lines, names the first part that has notes.
using Parts = std::array<std::optional<Part>, 26>;

// Also gives where the first label stands, or the end.
Parts FindParts(const std::vector<AbcElement>& elements, int* first) {
  Parts parts;
  const int size = static_cast<int>(elements.size());
  *first = size;
  for (int i = 0; i < size; ++i) {
    if (elements[i].kind != Kind::kPart) continue;
    *first = std::min(*first, i);
    Part part = {.begin = i + 1, .end = i + 1};
    for (; part.end < size && elements[part.end].kind != Kind::kPart;
         ++part.end) {
      const Kind kind = elements[part.end].kind;
      part.sounds |= kind == Kind::kNote || kind == Kind::kRest;
    }
    auto& known = parts[elements[i].text[0] - 'A'];
    if (!known || (!known->sounds && part.sounds)) known = part;
    i = part.end - 1;
  }
  return parts;
}

// True if anything sounds before `end`.
bool Sound(const std::vector<AbcElement>& elements, int end) {
  return std::any_of(
      elements.begin(), elements.begin() + end,
      [](const AbcElement& element) { return element.kind == Kind::kNote; });
}

// The labels of the order that the tune has parts for.
std::string PartsToPlay(const std::string& labels, const Parts& parts,
                        ReadReport* report) {
  std::string known;
  for (const char label : labels) {
    if (parts[label - 'A']) known.push_back(label);
  }
  if (known.empty()) return known;
  if (known.size() < labels.size()) {
    report->Warn("a part that the tune lacks, left out of the order of parts",
                 static_cast<int64_t>(labels.size() - known.size()));
  }
  for (int i = 0; i < 26; ++i) {
    if (parts[i] && parts[i]->sounds &&
        !absl::StrContains(known, static_cast<char>('A' + i))) {
      report->Warn("a part that the order of parts does not name, left out");
    }
  }
  return known;
}

}  // namespace

absl::StatusOr<std::string> ExpandAbcParts(absl::string_view order) {
  // Each open bracket remembers where its labels start.
  std::vector<size_t> open;
  std::string labels;
  size_t last = 0;  // start of what a number repeats
  for (size_t i = 0; i < order.size(); ++i) {
    const char c = order[i];
    if (absl::ascii_isupper(c)) {
      last = labels.size();
      labels.push_back(c);
    } else if (absl::ascii_islower(c)) {
      return std::string();
    } else if (c == '(') {
      open.push_back(labels.size());
    } else if (c == ')' && !open.empty()) {
      last = open.back();
      open.pop_back();
    } else if (absl::ascii_isdigit(c)) {
      int times = 0;
      for (; i < order.size() && absl::ascii_isdigit(order[i]); ++i) {
        times = std::min(times * 10 + (order[i] - '0'), kMaxAbcPlayed);
      }
      --i;
      const size_t unit = labels.size() - last;
      // Nothing to copy; a long order of such numbers must not take long.
      if (unit == 0 || times < 2) continue;
      if (unit * static_cast<size_t>(times) > kMaxAbcPlayed) return TooLong();
      const std::string repeated = labels.substr(last);
      for (int k = 1; k < times; ++k) labels += repeated;
    }
    if (labels.size() > kMaxAbcPlayed) return TooLong();
  }
  return labels;
}

absl::StatusOr<std::vector<int>> AbcPlaybackOrder(const AbcScore& score,
                                                  int64_t* work,
                                                  ReadReport* report) {
  const auto& elements = score.elements;
  const int size = static_cast<int>(elements.size());
  if (*work <= 0) return TooLong();
  CONTINUO_ASSIGN_OR_RETURN(std::string labels,
                            ExpandAbcParts(score.part_order));
  *work -= static_cast<int64_t>(labels.size());
  Player player(elements, work);
  int first = size;
  Parts parts = FindParts(elements, &first);
  // The first part often goes without its label.
  const Part head = {
      .begin = 0, .end = first, .sounds = Sound(elements, first)};
  bool head_is_part = false;
  if (labels.size() > 1 && head.sounds && !parts[labels[0] - 'A']) {
    parts[labels[0] - 'A'] = head;
    head_is_part = true;
  }
  if (first < size) labels = PartsToPlay(labels, parts, report);
  if (first < size && !labels.empty()) {
    // Else what stands before the first label is played once.
    if (!head_is_part) CONTINUO_RETURN_IF_ERROR(player.Play(0, first));
    for (const char label : labels) {
      const Part& part = *parts[label - 'A'];
      CONTINUO_RETURN_IF_ERROR(player.Play(part.begin, part.end));
    }
    if (std::any_of(player.order().begin(), player.order().end(),
                    [&](int i) { return elements[i].kind == Kind::kNote; })) {
      return std::move(player.order());
    }
    player.order().clear();  // the order names no part of this tune
  }
  if (const auto jump = FindAbcJump(elements, report)) {
    CONTINUO_RETURN_IF_ERROR(player.Play(0, size, *jump));
  } else {
    CONTINUO_RETURN_IF_ERROR(player.Play(0, size));
  }
  return std::move(player.order());
}

}  // namespace continuo
