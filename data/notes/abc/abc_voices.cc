// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_voices.h"

#include <algorithm>
#include <utility>

namespace continuo {
namespace {

// A book with more voices than an orchestra is not one tune.
constexpr size_t kMaxVoices = 64;

}  // namespace

void AbcVoices::Select(absl::string_view name) {
  const auto found =
      std::find_if(voices_.begin(), voices_.end(),
                   [&](const Voice& voice) { return voice.name == name; });
  current_ = static_cast<size_t>(found - voices_.begin());
  if (!known() && voices_.size() < kMaxVoices) {
    voices_.push_back({.name = std::string(name)});
  }
}

void AbcVoices::CountNote() {
  if (known()) voices_[current_].has_notes = true;
}

void AbcVoices::CountBar() {
  if (known()) ++voices_[current_].bars;
}

size_t AbcVoices::NextWithNotes(size_t voice) const {
  while (voice < voices_.size() && !voices_[voice].has_notes) ++voice;
  return std::min(voice, voices_.size());
}

void ApplyAbcTuneTempos(std::vector<AbcTuneTempo> tempos, AbcScore* score) {
  if (tempos.empty()) return;
  std::stable_sort(tempos.begin(), tempos.end(),
                   [](const AbcTuneTempo& a, const AbcTuneTempo& b) {
                     return a.bar < b.bar;
                   });
  std::vector<AbcContext> contexts;
  int bar = 0;
  int written = -1;  // context of the element before
  size_t next = 0;
  double qpm = 0;
  for (AbcElement& element : score->elements) {
    const AbcContext& context = score->contexts[element.context];
    const bool changed = element.context != written;
    if (changed &&
        (written < 0 || score->contexts[written].qpm != context.qpm)) {
      qpm = context.qpm;
    }
    bool arrived = false;
    for (; next < tempos.size() && tempos[next].bar <= bar; ++next) {
      qpm = tempos[next].qpm;
      arrived = true;
    }
    written = element.context;
    if (changed || arrived) {
      contexts.push_back(context);
      contexts.back().qpm = qpm;
    }
    if (element.kind == AbcElement::Kind::kBar && element.clears) ++bar;
    element.context = static_cast<int>(contexts.size()) - 1;
  }
  score->contexts = std::move(contexts);
}

}  // namespace continuo
