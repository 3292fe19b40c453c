// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/fingerprint.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "data/events/drums/drums.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr double kStepsPerQuarter = 24;     // of melodies
constexpr double kDrumStepsPerQuarter = 4;  // as the model has them
constexpr double kPerformanceSteps = 20;    // per second
constexpr double kDefaultQpm = 120;
constexpr size_t kMelodyPhrase = 8;       // intervals
constexpr size_t kDrumPhrase = 16;        // hits
constexpr size_t kPerformancePhrase = 8;  // intervals
// Fewer different phrases than this say little.
constexpr size_t kFewestPhrases = 8;

// A bijection that leaves no pattern (the finalizer of SplitMix64).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t Hash(absl::Span<const uint64_t> values, uint64_t seed) {
  uint64_t hash = Mix(seed + values.size());
  for (uint64_t value : values) hash = Mix(hash ^ value);
  return hash;
}

// A point in the piece: when, in steps, and what.
struct Start {
  int64_t step = 0;
  int64_t what = 0;  // pitch, or mask of drum classes

  friend auto operator<=>(const Start&, const Start&) = default;
};

// Quarter notes since the beginning at any time, by the tempos of a sequence.
class Beats {
 public:
  explicit Beats(const NoteSequence& sequence) {
    std::vector<std::pair<double, double>> tempos;
    for (const auto& tempo : sequence.tempos()) {
      if (tempo.qpm() > 0 && std::isfinite(tempo.qpm()) &&
          std::isfinite(tempo.time())) {
        tempos.emplace_back(tempo.time(), tempo.qpm());
      }
    }
    std::stable_sort(
        tempos.begin(), tempos.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    // The first tempo also holds before its time.
    pieces_.push_back({.qpm = tempos.empty() ? kDefaultQpm : tempos[0].second});
    for (const auto& [time, qpm] : tempos) {
      if (time > pieces_.back().time) {
        const double beat = At(time);
        pieces_.push_back({.time = time, .beat = beat, .qpm = qpm});
      } else {
        pieces_.back().qpm = qpm;
      }
    }
  }

  double At(double time) const {
    auto next = std::upper_bound(
        pieces_.begin(), pieces_.end(), time,
        [](double at, const Piece& piece) { return at < piece.time; });
    if (next != pieces_.begin()) --next;
    return next->beat + (time - next->time) * next->qpm / 60;
  }

 private:
  struct Piece {
    double time = 0;
    double beat = 0;
    double qpm = kDefaultQpm;
  };
  std::vector<Piece> pieces_;
};

// The nearest step; far ones (which no music has) all are one.
int64_t Round(double steps) {
  constexpr double kMost = 1e15;
  return std::isfinite(steps) ? std::llround(std::clamp(steps, -kMost, kMost))
                              : 0;
}

// What starts when: `when` of each note that is something, in `steps` per unit,
// from the first one on, so that a copy that begins later rounds alike. Sorted,
// each once. `what` gives -1 for a note that is nothing.
std::vector<Start> StartsOf(
    const NoteSequence& sequence, double steps,
    absl::FunctionRef<double(const NoteSequence::Note&)> when,
    absl::FunctionRef<int64_t(const NoteSequence::Note&)> what) {
  double first = std::numeric_limits<double>::infinity();
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (what(note) >= 0) first = std::min(first, when(note));
  }
  std::vector<Start> starts;
  for (const NoteSequence::Note& note : sequence.notes()) {
    const int64_t is = what(note);
    if (is >= 0) starts.push_back({Round(steps * (when(note) - first)), is});
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

// All notes, each by its pitch relative to the first (lowest) one's.
void SetNotes(absl::Span<const Start> starts, bool relative,
              Fingerprint* fingerprint) {
  if (starts.size() < kFewestNotes) return;
  const int64_t from = relative ? starts[0].what : 0;
  std::vector<uint64_t> values;
  values.reserve(2 * starts.size());
  for (const Start& start : starts) {
    values.push_back(static_cast<uint64_t>(start.step));
    values.push_back(static_cast<uint64_t>(start.what - from));
  }
  fingerprint->notes = {Hash(values, 1), Hash(values, 2)};
}

// The sketch of all runs of `length` tokens.
void SetSketch(absl::Span<const uint64_t> tokens, size_t length,
               Fingerprint* fingerprint) {
  if (tokens.size() < length) return;
  std::vector<uint64_t> phrases;
  for (size_t i = 0; i + length <= tokens.size(); ++i) {
    phrases.push_back(Hash(tokens.subspan(i, length), 3));
  }
  std::sort(phrases.begin(), phrases.end());
  phrases.erase(std::unique(phrases.begin(), phrases.end()), phrases.end());
  if (phrases.size() < kFewestPhrases) return;
  for (size_t i = 0; i < fingerprint->sketch.size(); ++i) {
    const uint64_t key = Mix(i);
    uint32_t least = std::numeric_limits<uint32_t>::max();
    for (uint64_t phrase : phrases) {
      least = std::min(least, static_cast<uint32_t>(Mix(phrase ^ key) >> 32));
    }
    fingerprint->sketch[i] = std::max(least, uint32_t{1});
  }
}

uint64_t Token(int64_t interval, int64_t distance) {
  return static_cast<uint64_t>(interval) << 32 ^
         static_cast<uint64_t>(distance);
}

}  // namespace

Fingerprint FingerprintMelody(const NoteSequence& sequence) {
  const Beats beats(sequence);
  const std::vector<Start> starts = StartsOf(
      sequence, kStepsPerQuarter,
      [&](const auto& note) { return beats.At(note.start_time()); },
      [](const auto& note) { return note.is_drum() ? -1 : note.pitch(); });
  Fingerprint fingerprint;
  SetNotes(starts, /*relative=*/true, &fingerprint);
  std::vector<Start> highest;
  for (const Start& start : starts) {
    if (!highest.empty() && highest.back().step == start.step) {
      highest.back() = start;
    } else {
      highest.push_back(start);
    }
  }
  std::vector<uint64_t> tokens;
  for (size_t i = 1; i < highest.size(); ++i) {
    tokens.push_back(Token(highest[i].what - highest[i - 1].what, 0));
  }
  SetSketch(tokens, kMelodyPhrase, &fingerprint);
  return fingerprint;
}

Fingerprint FingerprintDrums(
    const NoteSequence& sequence,
    absl::FunctionRef<bool(const NoteSequence::Note&)> is_drum) {
  const Beats beats(sequence);
  const std::vector<Start> starts = StartsOf(
      sequence, kDrumStepsPerQuarter,
      [&](const auto& note) { return beats.At(note.start_time()); },
      [&](const auto& note) -> int64_t {
        if (!is_drum(note) || note.pitch() < 0 ||
            note.pitch() >= kNumDrumPitches) {
          return -1;
        }
        DrumHit hit;
        hit.set(static_cast<size_t>(note.pitch()));
        const Event classes = DrumHitToEvent(NineDrumClasses(), hit);
        return classes == 0 ? -1 : classes;
      });
  std::vector<Start> hits;  // what is struck together
  for (const Start& start : starts) {
    if (!hits.empty() && hits.back().step == start.step) {
      hits.back().what |= start.what;
    } else {
      hits.push_back(start);
    }
  }
  Fingerprint fingerprint;
  SetNotes(hits, /*relative=*/false, &fingerprint);
  std::vector<uint64_t> tokens;
  for (size_t i = 0; i < hits.size(); ++i) {
    tokens.push_back(
        Token(hits[i].what, i == 0 ? 0 : hits[i].step - hits[i - 1].step));
  }
  SetSketch(tokens, kDrumPhrase, &fingerprint);
  return fingerprint;
}

Fingerprint FingerprintPerformance(const NoteSequence& sequence) {
  const std::vector<Start> starts = StartsOf(
      sequence, kPerformanceSteps,
      [](const auto& note) { return note.start_time(); },
      [](const auto& note) { return note.pitch(); });
  Fingerprint fingerprint;
  SetNotes(starts, /*relative=*/true, &fingerprint);
  std::vector<uint64_t> tokens;
  for (size_t i = 1; i < starts.size(); ++i) {
    tokens.push_back(Token(starts[i].what - starts[i - 1].what, 0));
  }
  SetSketch(tokens, kPerformancePhrase, &fingerprint);
  return fingerprint;
}

double Resemblance(const Fingerprint& a, const Fingerprint& b) {
  if (!a.has_sketch() || !b.has_sketch()) return 0;
  int equal = 0;
  for (size_t i = 0; i < a.sketch.size(); ++i) {
    equal += a.sketch[i] == b.sketch[i] ? 1 : 0;
  }
  return static_cast<double>(equal) / static_cast<double>(a.sketch.size());
}

}  // namespace continuo
