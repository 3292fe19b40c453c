// SPDX-License-Identifier: Apache-2.0

#include "data/events/melody/key_melody.h"

#include <algorithm>

#include "data/events/encoding/lookback.h"
#include "data/events/melody/melody.h"
#include "data/events/melody/one_hot_melody.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

constexpr std::array<int, 2> kDistances = {16, 32};
constexpr int kCounterBits = 7;
// Bars have 16 steps here whatever the metre, as in Magenta.
constexpr int kStepsPerBar = 16;
constexpr int kPitchClasses = 12;
constexpr int kFlags = 4;  // note sounds, silence, attack, contour

// What the inputs at a position say about the events up to it.
class MelodyState {
 public:
  void Push(Event event) {
    if (event == kMelodyNoEvent) {
      attack_ = false;
      return;
    }
    if (event == kMelodyNoteOff) {  // does not clear the attack flag
      sounding_ = -1;
      return;
    }
    attack_ = true;
    sounding_ = static_cast<int>(event);
    ++pitch_classes_[event % kPitchClasses];
    PushRecent(sounding_);
    key_scores_ = MajorKeyScores(pitch_classes_);
    std::array<int, 12> recent{};
    for (int i = 0; i < num_recent_; ++i) ++recent[recent_[i] % kPitchClasses];
    recent_key_scores_ = MajorKeyScores(recent);
  }

  int sounding() const { return sounding_; }  // pitch or -1
  bool attack() const { return attack_; }
  int contour() const { return contour_; }  // +1, -1, 0 before any change

  // Of all notes so far, and of the recent ones.
  const std::array<int, 12>& key_scores() const { return key_scores_; }
  const std::array<int, 12>& recent_key_scores() const {
    return recent_key_scores_;
  }

 private:
  // Keeps the last three distinct pitches, oldest first.
  void PushRecent(int pitch) {
    if (num_recent_ > 0) {
      const int previous = recent_[num_recent_ - 1];
      if (pitch > previous) contour_ = 1;
      if (pitch < previous) contour_ = -1;
    }
    auto end = recent_.begin() + num_recent_;
    end = std::remove(recent_.begin(), end, pitch);
    if (end == recent_.end()) {
      end = std::move(recent_.begin() + 1, recent_.end(), recent_.begin());
    }
    *end++ = pitch;
    num_recent_ = static_cast<int>(end - recent_.begin());
  }

  int sounding_ = -1;
  bool attack_ = false;
  int contour_ = 0;
  std::array<int, 12> pitch_classes_{};
  std::array<int, 3> recent_{};
  int num_recent_ = 0;
  std::array<int, 12> key_scores_{};
  std::array<int, 12> recent_key_scores_{};
};

// One column for each key whose score is the highest (all without notes).
void AddKeys(const std::array<int, 12>& scores, int column, SparseRows* rows) {
  const int best = *std::max_element(scores.begin(), scores.end());
  for (int key = 0; key < kPitchClasses; ++key) {
    if (scores[key] == best) rows->Add(column + key, 1.0f);
  }
}

}  // namespace

KeyMelodyEncoder::KeyMelodyEncoder(int min_note, int max_note)
    : min_note_(min_note),
      max_note_(max_note),
      note_range_(max_note - min_note),
      head_sizes_{note_range_ + kNumSpecialMelodyEvents +
                  static_cast<int>(kDistances.size())},
      default_label_{note_range_} {
  CONTINUO_CHECK(min_note >= 0 && min_note < max_note && max_note <= 128);
}

int KeyMelodyEncoder::input_size() const {
  return note_range_ + kFlags + static_cast<int>(kDistances.size()) +
         kCounterBits + 1 + 2 * kPitchClasses;
}

Event KeyMelodyEncoder::default_event() const { return kMelodyNoEvent; }

absl::Status KeyMelodyEncoder::CheckRange(Event event) const {
  if (event == kMelodyNoEvent || event == kMelodyNoteOff ||
      (event >= min_note_ && event < max_note_)) {
    return absl::OkStatus();
  }
  return MelodyEventOutOfRange(event, min_note_, max_note_);
}

absl::Status KeyMelodyEncoder::EncodeInputs(absl::Span<const Event> events,
                                            int begin, int end,
                                            SparseRows* rows) const {
  rows->width = input_size();
  MelodyState state;
  for (int position = 0; position < end; ++position) {
    const absl::Status in_range = CheckRange(events[position]);
    if (!in_range.ok()) return in_range;
    state.Push(events[position]);
    if (position < begin) continue;

    int column = note_range_;
    // Pitch 0 counts as silence, as in Magenta.
    if (state.sounding() > 0) {
      rows->Add(state.sounding() - min_note_, 1.0f);
      rows->Add(column, 1.0f);
    } else {
      rows->Add(column + 1, 1.0f);
    }
    if (state.attack()) rows->Add(column + 2, 1.0f);
    if (state.contour() != 0) {
      rows->Add(column + 3, static_cast<float>(state.contour()));
    }
    column += kFlags;
    for (int distance : kDistances) {
      if (RepeatsAt(events, position, distance)) rows->Add(column, 1.0f);
      ++column;
    }
    AddCounterBits(position, kCounterBits, column, rows);
    column += kCounterBits;
    if ((position + 1) % kStepsPerBar == 0) rows->Add(column, 1.0f);
    ++column;
    AddKeys(state.key_scores(), column, rows);
    AddKeys(state.recent_key_scores(), column + kPitchClasses, rows);
    rows->EndRow();
  }
  return absl::OkStatus();
}

absl::Status KeyMelodyEncoder::EncodeLabel(absl::Span<const Event> events,
                                           int position,
                                           absl::Span<int64_t> label) const {
  const Event event = events[position];
  const absl::Status in_range = CheckRange(event);
  if (!in_range.ok()) return in_range;
  const int repeat = RepeatIndex(events, position, kDistances, kMelodyNoEvent);
  if (repeat >= 0) {
    label[0] = note_range_ + kNumSpecialMelodyEvents + repeat;
  } else if (event == kMelodyNoEvent) {
    label[0] = note_range_;
  } else if (event == kMelodyNoteOff) {
    label[0] = note_range_ + 1;
  } else {
    label[0] = event - min_note_;
  }
  return absl::OkStatus();
}

Event KeyMelodyEncoder::DecodeLabel(absl::Span<const int64_t> label,
                                    absl::Span<const Event> history) const {
  CONTINUO_CHECK(label[0] >= 0 && label[0] < head_sizes_[0]);
  const int index = static_cast<int>(label[0]);
  if (index < note_range_) return min_note_ + index;
  if (index == note_range_) return kMelodyNoEvent;
  if (index == note_range_ + 1) return kMelodyNoteOff;
  const int repeat = index - note_range_ - kNumSpecialMelodyEvents;
  return RepeatedEvent(history, kDistances[repeat], kMelodyNoEvent);
}

std::optional<InputFeedbackSpec> KeyMelodyEncoder::InputFeedback() const {
  return InputFeedbackSpec{.num_events = note_range_ + kNumSpecialMelodyEvents,
                           .default_class = static_cast<int>(default_label_[0]),
                           .distances = {kDistances.begin(), kDistances.end()},
                           .counter_bits = kCounterBits,
                           .key_melody = true,
                           .min_note = min_note_};
}

int64_t KeyMelodyEncoder::LabelsToNumSteps(
    absl::Span<const int64_t> labels) const {
  return static_cast<int64_t>(labels.size());
}

}  // namespace continuo
