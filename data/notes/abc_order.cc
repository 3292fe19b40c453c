#include "data/notes/abc_order.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runtime/status.h"

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

// The endings of a tune belong together in groups ("1" and "2" of one repeat).
// For each ending its group's highest number and the next one of the group;
// for the last of a group the next is -1 and `after` the bar that closes it.
struct Ending {
  int highest = 0;
  int next = -1;
  int after = -1;
  bool complete = false;  // the group has an ending for the first pass
};

// Indexed like `elements`; only bars with endings have an entry that counts. A
// group ends at an ending that starts over, a forward repeat, or a closing bar
// behind it.
std::vector<Ending> GroupEndings(const std::vector<AbcElement>& elements) {
  std::vector<Ending> endings(elements.size());
  std::vector<int> group;
  int highest = 0;
  int closing = -1;  // a closing bar behind the last ending
  const auto close = [&](int after) {
    const bool complete =
        !group.empty() && Contains(elements[group[0]].endings, 1);
    for (size_t k = 0; k < group.size(); ++k) {
      endings[group[k]] = {.highest = highest,
                           .next = k + 1 < group.size() ? group[k + 1] : -1,
                           .after = after,
                           .complete = complete};
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
  return endings;
}

// Plays ranges of elements, and counts the steps of it: a tune of many bars
// without notes must not take long either.
class Player {
 public:
  explicit Player(const std::vector<AbcElement>& elements)
      : elements_(elements), endings_(GroupEndings(elements)) {}

  // Appends [begin, end), one part or the whole tune, to the order.
  absl::Status Play(int begin, int end);

  std::vector<int>& order() { return order_; }

 private:
  void StartSection(int at) {
    section_ = at;
    pass_ = 1;
    wanted_ = 0;
    last_ending_ = 0;
    empty_ = true;
    before_double_bar_ = -1;
  }
  void StartAtDoubleBar(int at);
  bool PlayBar(int* at);
  bool SkipEnding(int* at) const;

  const std::vector<AbcElement>& elements_;
  const std::vector<Ending> endings_;
  std::vector<int> order_;
  int steps_ = 0;

  int section_ = 0;      // the element to which the next repeat goes back
  int pass_ = 1;         // through this section
  int wanted_ = 0;       // passes that the forward repeat asks for
  int last_ending_ = 0;  // highest number among the section's endings
  bool empty_ = true;    // nothing has sounded in the section
  // Where the section before a double bar started: a repeat that follows the
  // double bar at once ("|| :|") means that one.
  int before_double_bar_ = -1;
};

void Player::StartAtDoubleBar(int at) {
  if (empty_) return;
  // Inside of a repeat, but not of its last ending, it is only a mark.
  const bool open = last_ending_ > 0 ? pass_ < std::max(wanted_, last_ending_)
                                     : wanted_ > 0 || pass_ > 1;
  if (open) return;
  const int before = last_ending_ > 0 ? -1 : section_;
  StartSection(at);
  before_double_bar_ = before;
}

// From an ending that this pass does not play to the one that it does (true),
// or to what follows all of them.
bool Player::SkipEnding(int* at) const {
  for (int i = *at; i >= 0; i = endings_[i].next) {
    if (Contains(elements_[i].endings, pass_)) {
      *at = i;
      return true;
    }
  }
  *at = endings_[*at].after;
  return false;
}

// Goes through the bar at `*at`, which becomes the element before the next to
// play; or another bar to go through in its turn, which gives true.
bool Player::PlayBar(int* at) {
  const AbcElement& bar = elements_[*at];
  if (!bar.endings.empty()) {
    last_ending_ = std::max(last_ending_, endings_[*at].highest);
  }
  if (bar.repeat_end > 0) {
    if (empty_ && before_double_bar_ >= 0) section_ = before_double_bar_;
    if (pass_ < std::max({bar.repeat_end, wanted_, last_ending_})) {
      ++pass_;
      *at = section_ - 1;
      return false;
    }
    // ":|2": the endings still belong to this section.
    if (bar.endings.empty()) StartSection(*at + 1);
  } else if (bar.heavy) {
    StartAtDoubleBar(*at + 1);
  }
  if (bar.repeat_start > 0) {
    StartSection(*at + 1);
    wanted_ = bar.repeat_start;
  }
  if (bar.endings.empty() || Contains(bar.endings, pass_)) return false;
  // "A :|2 B" names no first ending: what is come to is played.
  if (!endings_[*at].complete) return false;
  return !SkipEnding(at);
}

absl::Status Player::Play(int begin, int end) {
  // Passes are at most 16 (see AbcLexer), so no real tune comes near it.
  constexpr int kMaxSteps = 64 * kMaxAbcPlayed;
  StartSection(begin);
  for (int i = begin; i < end; ++i) {
    if (++steps_ > kMaxSteps) return TooLong();
    const Kind kind = elements_[i].kind;
    if (kind == Kind::kBar) {
      while (i < end && elements_[i].kind == Kind::kBar && PlayBar(&i)) {
        if (++steps_ > kMaxSteps) return TooLong();
      }
    } else if (kind != Kind::kPart) {
      if (order_.size() >= kMaxAbcPlayed) return TooLong();
      order_.push_back(i);
      if (kind != Kind::kText) empty_ = false;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ExpandAbcParts(absl::string_view order) {
  // Each open bracket remembers where its labels start.
  std::vector<size_t> open;
  std::string labels;
  size_t last = 0;  // start of what a number repeats
  for (size_t i = 0; i < order.size(); ++i) {
    const char c = order[i];
    if (absl::ascii_isalpha(c)) {
      last = labels.size();
      labels.push_back(c);
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
      const std::string unit = labels.substr(last);
      if (unit.size() * static_cast<size_t>(times) > kMaxAbcPlayed) {
        return TooLong();
      }
      for (int k = 1; k < times; ++k) labels += unit;
    }
    if (labels.size() > kMaxAbcPlayed) return TooLong();
  }
  return labels;
}

absl::StatusOr<std::vector<int>> AbcPlayingOrder(const AbcScore& score) {
  const auto& elements = score.elements;
  const int size = static_cast<int>(elements.size());
  CONTINUO_ASSIGN_OR_RETURN(const std::string labels,
                            ExpandAbcParts(score.part_order));
  std::vector<std::pair<char, int>> parts;  // label and start
  for (int i = 0; i < size; ++i) {
    if (elements[i].kind == Kind::kPart && !elements[i].text.empty()) {
      parts.emplace_back(elements[i].text[0], i);
    }
  }
  Player player(elements);
  if (!labels.empty() && !parts.empty()) {
    // What stands before the first label is played once.
    CONTINUO_RETURN_IF_ERROR(player.Play(0, parts.front().second));
    for (const char label : labels) {
      for (size_t k = 0; k < parts.size(); ++k) {
        if (parts[k].first != label) continue;
        const int end = k + 1 < parts.size() ? parts[k + 1].second : size;
        CONTINUO_RETURN_IF_ERROR(player.Play(parts[k].second, end));
        break;
      }
    }
    if (std::any_of(player.order().begin(), player.order().end(),
                    [&](int i) { return elements[i].kind == Kind::kNote; })) {
      return std::move(player.order());
    }
    player.order().clear();  // the order names no part of this tune
  }
  CONTINUO_RETURN_IF_ERROR(player.Play(0, size));
  return std::move(player.order());
}

}  // namespace continuo
