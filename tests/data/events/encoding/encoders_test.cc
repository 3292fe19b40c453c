// SPDX-License-Identifier: Apache-2.0

// The encoders against a slow re-implementation that follows the encodings
// reference word by word, on random melodies, and their worked example.

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "data/events/encoder_table.h"
#include "data/events/encoding/lookback.h"
#include "data/events/melody/melody.h"
#include "data/events/melody/one_hot_melody.h"
#include "gtest/gtest.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

using Events = std::vector<Event>;
using DenseRow = std::vector<float>;

constexpr int kMin = 48;
constexpr int kMax = 84;

int Draw(int sample, int index, int bound) {
  return static_cast<int>(
      RandomBelow(20240607, RandomPurpose::kSample, sample, index, bound));
}

// Melodies that repeat themselves often, hold, pause, and hit both range ends.
Events RandomMelody(int sample) {
  const int length = 2 + Draw(sample, 0, 150);
  Events events;
  for (int i = 0; i < length; ++i) {
    const int kind = Draw(sample, 3 * i + 1, 10);
    const int value = Draw(sample, 3 * i + 2, kMax - kMin);
    if (kind < 3 && i >= 16) {
      events.push_back(events[i - 16]);
    } else if (kind < 5 && i >= 32) {
      events.push_back(events[i - 32]);
    } else if (kind < 7) {
      events.push_back(kMelodyNoEvent);
    } else if (kind < 8) {
      events.push_back(kMelodyNoteOff);
    } else {
      events.push_back(kMin + value);
    }
  }
  return events;
}

int SlowOneHot(Event event) {
  return static_cast<int>(event < 0 ? event + 2 : event - kMin + 2);
}

DenseRow SlowLookback(const Events& events, int position) {
  const int n = kMax - kMin + 2;
  DenseRow input(3 * n + 5 + 2);
  input[SlowOneHot(events[position])] = 1;
  const int distances[] = {16, 32};
  for (int i = 0; i < 2; ++i) {
    const int next = position - distances[i] + 1;
    const Event event = next < 0 ? kMelodyNoEvent : events[next];
    input[n + i * n + SlowOneHot(event)] = 1;
  }
  for (int bit = 0; bit < 5; ++bit) {
    input[3 * n + bit] = ((position + 1) / (1 << bit)) % 2 == 1 ? 1 : -1;
  }
  for (int i = 0; i < 2; ++i) {
    const int before = position - distances[i];
    if (before >= 0 && events[before] == events[position]) {
      input[3 * n + 5 + i] = 1;
    }
  }
  return input;
}

void SlowKeys(const std::vector<int>& pitches, int column, DenseRow* input) {
  const std::set<int> scale = {0, 2, 4, 5, 7, 9, 11};
  int scores[12] = {};
  int best = 0;
  for (int key = 0; key < 12; ++key) {
    for (int pitch : pitches) {
      if (scale.count((pitch - key + 1200) % 12) > 0) ++scores[key];
    }
    best = std::max(best, scores[key]);
  }
  for (int key = 0; key < 12; ++key) {
    if (scores[key] == best) (*input)[column + key] = 1;
  }
}

DenseRow SlowKeyInput(const Events& events, int position) {
  DenseRow input(74);
  std::vector<int> notes;
  std::deque<int> last;
  int sounding = -1;
  int contour = 0;
  bool attack = false;
  for (int i = 0; i <= position; ++i) {
    const int event = static_cast<int>(events[i]);
    if (event == -2) attack = false;
    if (event == -1) sounding = -1;
    if (event < 0) continue;
    attack = true;
    sounding = event;
    notes.push_back(event);
    if (!last.empty() && event != last.back()) {
      contour = event > last.back() ? 1 : -1;
    }
    for (auto it = last.begin(); it != last.end(); ++it) {
      if (*it == event) {
        last.erase(it);
        break;
      }
    }
    last.push_back(event);
    if (last.size() > 3) last.pop_front();
  }
  if (sounding >= 0) input[sounding - kMin] = 1;
  input[sounding >= 0 ? 36 : 37] = 1;
  if (attack) input[38] = 1;
  input[39] = static_cast<float>(contour);
  for (int i = 0; i < 2; ++i) {
    const int before = position - 16 * (i + 1);
    if (before >= 0 && events[before] == events[position]) input[40 + i] = 1;
  }
  for (int bit = 0; bit < 7; ++bit) {
    input[42 + bit] = ((position + 1) / (1 << bit)) % 2 == 1 ? 1 : -1;
  }
  if ((position + 1) % 16 == 0) input[49] = 1;
  SlowKeys(notes, 50, &input);
  SlowKeys({last.begin(), last.end()}, 62, &input);
  return input;
}

int SlowRepeat(const Events& events, int position) {
  if (position < 32 && events[position] == kMelodyNoEvent) return 1;
  if (position >= 32 && events[position - 32] == events[position]) return 1;
  if (position >= 16 && events[position - 16] == events[position]) return 0;
  return -1;
}

int SlowLookbackLabel(const Events& events, int position) {
  const int repeat = SlowRepeat(events, position);
  return repeat >= 0 ? 38 + repeat : SlowOneHot(events[position]);
}

int SlowKeyLabel(const Events& events, int position) {
  const int repeat = SlowRepeat(events, position);
  if (repeat >= 0) return 38 + repeat;
  if (events[position] == kMelodyNoEvent) return 36;
  if (events[position] == kMelodyNoteOff) return 37;
  return static_cast<int>(events[position]) - kMin;
}

DenseRow Row(const SparseRows& rows, int row) {
  DenseRow dense(rows.width);
  for (int i = rows.row_begin[row]; i < rows.row_begin[row + 1]; ++i) {
    dense[rows.index[i]] = rows.value[i];
  }
  return dense;
}

std::unique_ptr<EventEncoder> Make(Encoding encoding) {
  return MakeEventEncoder(
      {.encoding = encoding, .min_note = kMin, .max_note = kMax});
}

template <typename SlowInput, typename SlowLabel>
void CompareOnRandomMelodies(const EventEncoder& encoder, SlowInput slow_input,
                             SlowLabel slow_label) {
  for (int sample = 0; sample < 60; ++sample) {
    const Events events = RandomMelody(sample);
    const int n = static_cast<int>(events.size());
    SparseRows rows;
    ASSERT_TRUE(encoder.EncodeInputs(events, 0, n, &rows).ok());
    ASSERT_EQ(rows.rows(), n);
    for (int i = 0; i < n; ++i) {
      ASSERT_EQ(Row(rows, i), slow_input(events, i)) << sample << " " << i;
      int64_t label = -1;
      ASSERT_TRUE(encoder.EncodeLabel(events, i, {&label, 1}).ok());
      ASSERT_EQ(label, slow_label(events, i)) << sample << " " << i;
      ASSERT_EQ(encoder.DecodeLabel({label}, absl::MakeSpan(events).first(i)),
                events[i]);
    }
  }
}

TEST(EncodersTest, LookbackEqualsItsDefinition) {
  CompareOnRandomMelodies(*Make(Encoding::kLookbackMelody), SlowLookback,
                          SlowLookbackLabel);
}

TEST(EncodersTest, KeyEqualsItsDefinition) {
  CompareOnRandomMelodies(*Make(Encoding::kKeyMelody), SlowKeyInput,
                          SlowKeyLabel);
}

TEST(EncodersTest, OneHotEqualsItsDefinition) {
  CompareOnRandomMelodies(
      *Make(Encoding::kOneHotMelody),
      [](const Events& events, int position) {
        DenseRow input(38);
        input[SlowOneHot(events[position])] = 1;
        return input;
      },
      [](const Events& events, int position) {
        return SlowOneHot(events[position]);
      });
}

// Labels worked out by hand.
TEST(EncodersTest, WorkedLabels) {
  Events events = {60, -2, 62, -2};
  events.insert(events.end(), 12, -2);
  events.insert(events.end(), {60, -2, 62, -1});
  events.insert(events.end(), 12, -2);
  events.insert(events.end(), {60, -2, 62, -1, 64});
  const auto labels = [&](Encoding encoding) {
    const auto encoder = Make(encoding);
    std::vector<int64_t> all(events.size());
    for (size_t i = 0; i < events.size(); ++i) {
      EXPECT_TRUE(encoder
                      ->EncodeLabel(events, static_cast<int>(i),
                                    absl::MakeSpan(&all[i], 1))
                      .ok());
    }
    return all;
  };
  std::vector<int64_t> key = {12, 39, 14, 39};
  key.insert(key.end(), 12, 39);
  key.insert(key.end(), {38, 39, 38, 37});
  key.insert(key.end(), 15, 39);
  key.insert(key.end(), {38, 16});
  EXPECT_EQ(labels(Encoding::kKeyMelody), key);
  std::vector<int64_t> lookback = key;
  lookback[0] = 14;
  lookback[2] = 16;
  lookback[19] = 1;
  lookback[36] = 18;
  EXPECT_EQ(labels(Encoding::kLookbackMelody), lookback);
}

// What drums use: no distances, so no repeat classes and no default rule.
TEST(EncodersTest, LookbackWithoutDistances) {
  const LookbackEncoder encoder(std::make_unique<MelodyOneHot>(kMin, kMax), {},
                                6);
  EXPECT_EQ(encoder.input_size(), 38 + 6);
  EXPECT_EQ(encoder.num_classes(), 38);
  const Events events = {-2, 60};
  int64_t label = -1;
  ASSERT_TRUE(encoder.EncodeLabel(events, 0, {&label, 1}).ok());
  EXPECT_EQ(label, 0);
  SparseRows rows;
  ASSERT_TRUE(encoder.EncodeInputs(events, 1, 2, &rows).ok());
  DenseRow want(44);
  want[14] = 1;
  for (int bit = 0; bit < 6; ++bit) want[38 + bit] = bit == 1 ? 1 : -1;
  EXPECT_EQ(Row(rows, 0), want);
}

TEST(EncodersTest, RefusesEventsOutsideTheRangeEverywhere) {
  for (Encoding encoding : {Encoding::kOneHotMelody, Encoding::kLookbackMelody,
                            Encoding::kKeyMelody}) {
    const auto encoder = Make(encoding);
    for (Event bad : {Event{-3}, Event{47}, Event{84}, Event{128}}) {
      EncodedSequence example;
      const absl::Status status =
          EncodeSequence(*encoder, {60, bad, 62}, &example);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_NE(status.message().find(std::to_string(bad)), std::string::npos);
      // As the last event it is only a label.
      EXPECT_FALSE(EncodeSequence(*encoder, {60, bad}, &example).ok());
    }
  }
}

TEST(EncodersTest, EncodeSequencePairsInputsWithTheNextLabel) {
  EncodedSequence example;
  ASSERT_TRUE(
      EncodeSequence(*Make(Encoding::kOneHotMelody), {60, -1, 62}, &example)
          .ok());
  EXPECT_EQ(example.inputs.index, (std::vector<int32_t>{14, 1}));
  EXPECT_EQ(example.labels, (std::vector<int64_t>{1, 16}));
}

}  // namespace
}  // namespace continuo
