// SPDX-License-Identifier: Apache-2.0

// InputFeedbackSpec: how labels become inputs again, as plain tables, for
// encoders whose inputs can be made where the labels are drawn
// (kernels/decoding/input_feedback.h).

#ifndef CONTINUO_DATA_EVENTS_ENCODING_INPUT_FEEDBACK_SPEC_H_
#define CONTINUO_DATA_EVENTS_ENCODING_INPUT_FEEDBACK_SPEC_H_

#include <cstdint>
#include <vector>

namespace continuo {

// The input row of an event, in ascending columns:
//   `entries` of the table for the class of each head;
//   for each distance, a block of num_events columns: the one-hot of the event
//     that would follow if the sequence repeated itself at that distance, or of
//     default_class before its start;
//   the counter bits of the next position (+1 / -1, lowest first);
//   for each distance, whether the event repeats the one that far before.
// The row of the key melody encoder is its own
// (data/events/melody/key_melody.h).
struct InputFeedbackSpec {
  // Classes of the first head that are events; one class for each distance
  // follows: the event that far before. With several heads there are none.
  int num_events = 0;
  int default_class = 0;            // what a repeat from before the start gives
  std::vector<int> distances = {};  // ascending, in steps
  int counter_bits = 0;

  // [classes of all heads * entries], entries of value zero being none.
  int entries = 0;
  std::vector<int32_t> index = {};
  std::vector<float> value = {};

  // The key melody's row; classes are pitches from min_note, no event and
  // note-off.
  bool key_melody = false;
  int min_note = 0;
};

// The table of one-hots: class i is column i.
inline void SetOneHotTable(int classes, InputFeedbackSpec* spec) {
  spec->entries = 1;
  for (int i = 0; i < classes; ++i) spec->index.push_back(i);
  spec->value.assign(classes, 1.0f);
}

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODING_INPUT_FEEDBACK_SPEC_H_
