// SPDX-License-Identifier: Apache-2.0

// What both forms of kernels/decoding/input_feedback.h compute, for one row.
//
// State of a row: events so far; a bit for each distance at which the newest
// event repeats; its class in each head; the classes of the last events by
// position modulo the longest distance; for the key melody, what sounds and
// which pitches there were.

#ifndef CONTINUO_KERNELS_DECODING_INPUT_FEEDBACK_INL_H_
#define CONTINUO_KERNELS_DECODING_INPUT_FEEDBACK_INL_H_

#include <cstdint>

#include "kernels/decoding/input_feedback.h"
#include "runtime/base/random.h"

namespace continuo::feedback {

enum MelodySlot {
  kSounding,  // pitch + 1, 0 = silence
  kAttack,
  kContour,
  kNumRecent,
  kRecent,  // the last three distinct pitches, oldest first
  kPitchClasses = kRecent + 3,
  kMelodySlots = kPitchClasses + 12
};
inline constexpr int kPitchClassCount = 12;
inline constexpr int kStepsPerBar = 16;
// Semitones of a major scale above its key, as bits.
inline constexpr unsigned kMajorScale = 0b101010110101;

struct Entry {
  int32_t index;
  float value;
};

CONTINUO_HOST_DEVICE inline int RingSize(const InputFeedbackEncoding& e) {
  return e.num_distances > 0 ? e.distances[e.num_distances - 1] : 0;
}
CONTINUO_HOST_DEVICE inline int RingBegin(const InputFeedbackEncoding& e) {
  return 2 + e.heads;
}
CONTINUO_HOST_DEVICE inline int MelodyBegin(const InputFeedbackEncoding& e) {
  return RingBegin(e) + RingSize(e);
}
CONTINUO_HOST_DEVICE inline int StateSize(const InputFeedbackEncoding& e) {
  return MelodyBegin(e) + (e.key_melody ? kMelodySlots : 0);
}
CONTINUO_HOST_DEVICE inline int NumEntries(const InputFeedbackEncoding& e) {
  const int repeats = e.counter_bits + e.num_distances;
  return e.key_melody ? 5 + repeats + 1 + 2 * kPitchClassCount
                      : e.heads * e.entries + e.num_distances + repeats;
}

// The class of the event at a position within the ring's reach.
CONTINUO_HOST_DEVICE inline int ClassAt(const InputFeedbackEncoding& e,
                                        const int32_t* state, int position) {
  return position < 0 ? e.default_class
                      : state[RingBegin(e) + position % RingSize(e)];
}

CONTINUO_HOST_DEVICE inline void EnterPitch(int pitch, int32_t* melody) {
  melody[kSounding] = pitch + 1;
  melody[kAttack] = 1;
  ++melody[kPitchClasses + pitch % kPitchClassCount];
  int32_t* const recent = melody + kRecent;
  int count = melody[kNumRecent];
  if (count > 0) {
    if (pitch > recent[count - 1]) melody[kContour] = 1;
    if (pitch < recent[count - 1]) melody[kContour] = -1;
  }
  int found = count;
  for (int i = 0; i < count; ++i) {
    if (recent[i] == pitch) found = i;
  }
  if (found == count && count < 3) ++count;
  if (found == 3) found = 0;
  for (int i = found; i + 1 < count; ++i) recent[i] = recent[i + 1];
  recent[count - 1] = pitch;
  melody[kNumRecent] = count;
}

// Enters the event that `label` [heads] stands for.
CONTINUO_HOST_DEVICE inline void EnterLabel(const InputFeedbackEncoding& e,
                                            const int64_t* label,
                                            int32_t* state) {
  const int position = state[0]++;
  for (int head = 0; head < e.heads; ++head) {
    const int size = e.head_begin[head + 1] - e.head_begin[head];
    const int64_t given = label[head];
    state[2 + head] =
        given >= 0 && given < size ? static_cast<int32_t>(given) : 0;
  }
  if (e.num_distances > 0) {
    int now = state[2];
    if (now >= e.num_events) {
      now = ClassAt(e, state, position - e.distances[now - e.num_events]);
      state[2] = now;
    }
    int repeats = 0;
    for (int i = 0; i < e.num_distances; ++i) {
      const int before = position - e.distances[i];
      if (before >= 0 && ClassAt(e, state, before) == now) repeats |= 1 << i;
    }
    state[1] = repeats;
    state[RingBegin(e) + position % RingSize(e)] = now;
  }
  if (!e.key_melody) return;
  int32_t* const melody = state + MelodyBegin(e);
  const int no_event = e.num_events - 2;
  if (state[2] == no_event) {
    melody[kAttack] = 0;
  } else if (state[2] == no_event + 1) {
    melody[kSounding] = 0;  // does not clear the attack flag
  } else {
    EnterPitch(e.min_note + state[2], melody);
  }
}

// Counter bits, then repeat flags: entry `i` of these, from column `column` on.
// In the key melody's rows the flags come first.
CONTINUO_HOST_DEVICE inline Entry CounterEntry(const int32_t* state, int bit,
                                               int column) {
  return {column, (state[0] >> bit) & 1 ? 1.0f : -1.0f};
}
CONTINUO_HOST_DEVICE inline Entry RepeatEntry(const int32_t* state, int i,
                                              int column) {
  return {column, static_cast<float>((state[1] >> i) & 1)};
}

CONTINUO_HOST_DEVICE inline Entry TableEntry(const InputFeedbackEncoding& e,
                                             const int32_t* state, int slot) {
  if (slot < e.heads * e.entries) {
    const int head = slot / e.entries;
    const int i =
        (e.head_begin[head] + state[2 + head]) * e.entries + slot % e.entries;
    return {e.index[i], e.value[i]};
  }
  slot -= e.heads * e.entries;
  if (slot < e.num_distances) {
    return {(slot + 1) * e.num_events +
                ClassAt(e, state, state[0] - e.distances[slot]),
            1.0f};
  }
  slot -= e.num_distances;
  const int column = (e.num_distances + 1) * e.num_events + slot;
  return slot < e.counter_bits
             ? CounterEntry(state, slot, column)
             : RepeatEntry(state, slot - e.counter_bits, column);
}

// Notes of a pitch class that belong to a major key.
CONTINUO_HOST_DEVICE inline int InKey(int pitch_class, int key) {
  const int above = pitch_class - key;
  return (kMajorScale >> (above < 0 ? above + kPitchClassCount : above)) & 1;
}
CONTINUO_HOST_DEVICE inline int KeyScore(const int32_t* melody, int key) {
  int score = 0;
  for (int i = 0; i < kPitchClassCount; ++i) {
    score += InKey(i, key) * melody[kPitchClasses + i];
  }
  return score;
}
CONTINUO_HOST_DEVICE inline int RecentKeyScore(const int32_t* melody, int key) {
  int score = 0;
  for (int i = 0; i < melody[kNumRecent]; ++i) {
    score += InKey(melody[kRecent + i] % kPitchClassCount, key);
  }
  return score;
}

// Whether no key fits the melody (or its last pitches) better than `key`.
CONTINUO_HOST_DEVICE inline float BestKey(const int32_t* melody, bool recent,
                                          int key) {
  int best = 0;
  int own = 0;
  for (int k = 0; k < kPitchClassCount; ++k) {
    const int score = recent ? RecentKeyScore(melody, k) : KeyScore(melody, k);
    best = score > best ? score : best;
    if (k == key) own = score;
  }
  return own == best ? 1.0f : 0.0f;
}

CONTINUO_HOST_DEVICE inline Entry KeyMelodyEntry(const InputFeedbackEncoding& e,
                                                 const int32_t* state,
                                                 int slot) {
  const int32_t* const melody = state + MelodyBegin(e);
  const int notes = e.num_events - 2;
  // Pitch 0 counts as silence.
  const int sounding = melody[kSounding] - 1;
  const bool sounds = sounding > 0;
  const int flag = slot - 1;
  const int column = notes + flag;
  switch (slot) {
    case 0:
      return {sounds ? sounding - e.min_note : 0, sounds ? 1.0f : 0.0f};
    case 1:
      return {column, sounds ? 1.0f : 0.0f};
    case 2:
      return {column, sounds ? 0.0f : 1.0f};
    case 3:
      return {column, static_cast<float>(melody[kAttack])};
    case 4:
      return {column, static_cast<float>(melody[kContour])};
    default:
      break;
  }
  slot -= 5;
  if (slot < e.num_distances) return RepeatEntry(state, slot, column);
  slot -= e.num_distances;
  if (slot < e.counter_bits) return CounterEntry(state, slot, column);
  slot -= e.counter_bits;
  if (slot == 0) return {column, state[0] % kStepsPerBar == 0 ? 1.0f : 0.0f};
  --slot;
  const bool recent = slot >= kPitchClassCount;
  return {column,
          BestKey(melody, recent, recent ? slot - kPitchClassCount : slot)};
}

// Entry `slot` of the input row of the newest event.
CONTINUO_HOST_DEVICE inline Entry InputEntry(const InputFeedbackEncoding& e,
                                             const int32_t* state, int slot) {
  return e.key_melody ? KeyMelodyEntry(e, state, slot)
                      : TableEntry(e, state, slot);
}

}  // namespace continuo::feedback

#endif  // CONTINUO_KERNELS_DECODING_INPUT_FEEDBACK_INL_H_
