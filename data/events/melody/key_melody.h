// SPDX-License-Identifier: Apache-2.0

// The key melody encoder of attention_rnn (data/events/README.md): what sounds,
// attack, contour, repeats, metre and the keys that the melody fits.

#ifndef CONTINUO_DATA_EVENTS_MELODY_KEY_MELODY_H_
#define CONTINUO_DATA_EVENTS_MELODY_KEY_MELODY_H_

#include <array>

#include "data/events/encoding/event_encoder.h"

namespace continuo {

// Columns, with r = max_note - min_note:
//   r   one-hot of the sounding pitch          1, 1  a note sounds / silence
//   1   attack flag                            1     last change up +1, down -1
//   2   repeats 16 and 32 steps ago            7     counter bits (+1 / -1)
//   1   the next step starts a bar of 16       12    keys of all notes so far
//   12  keys of the last 3 distinct pitches
// Labels: r pitches, no event, note-off, repeat 16, repeat 32.
class KeyMelodyEncoder : public EventEncoder {
 public:
  // Pitches in [min_note, max_note), 0 <= min_note < max_note <= 128.
  KeyMelodyEncoder(int min_note, int max_note);

  int input_size() const override;
  absl::Span<const int> head_sizes() const override { return head_sizes_; }
  Event default_event() const override;
  absl::Span<const int64_t> default_label() const override {
    return default_label_;
  }

  // O(end): the keys depend on everything before `begin`. Magenta lets some
  // pitches outside the range spill into other columns; here each is
  // InvalidArgument.
  absl::Status EncodeInputs(absl::Span<const Event> events, int begin, int end,
                            SparseRows* rows) const override;
  absl::Status EncodeLabel(absl::Span<const Event> events, int position,
                           absl::Span<int64_t> label) const override;
  Event DecodeLabel(absl::Span<const int64_t> label,
                    absl::Span<const Event> history) const override;
  int64_t LabelsToNumSteps(absl::Span<const int64_t> labels) const override;
  std::optional<InputFeedbackSpec> InputFeedback() const override;

 private:
  absl::Status CheckRange(Event event) const;

  int min_note_;
  int max_note_;
  int note_range_;
  std::array<int, 1> head_sizes_;
  std::array<int64_t, 1> default_label_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_MELODY_KEY_MELODY_H_
