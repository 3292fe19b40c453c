// SPDX-License-Identifier: Apache-2.0

// The encodings by name: adding one is a file in this folder and a row in
// encoder_table.cc.

#ifndef CONTINUO_DATA_EVENTS_ENCODER_TABLE_H_
#define CONTINUO_DATA_EVENTS_ENCODER_TABLE_H_

#include <memory>
#include <optional>

#include "data/events/drums/drums.h"
#include "data/events/encoding/event_encoder.h"
#include "data/events/performance/control_source.h"
#include "data/events/performance/controls.h"

namespace continuo {

enum class Encoding {
  kOneHotMelody,        // basic_rnn, mono_rnn
  kLookbackMelody,      // lookback_rnn
  kKeyMelody,           // attention_rnn
  kOneDrum,             // one_drum
  kDrumKit,             // drum_kit
  kPerformance,         // performance_with_dynamics and its conditioned kin
  kCompactPerformance,  // the same with index inputs
  kModuloPerformance,   // performance_with_dynamics_and_modulo_encoding
  kNoteTuples,          // performance_with_dynamics_and_note_encoding
};

// What an encoding needs to know besides its kind.
struct EncodingSpec {
  Encoding encoding = Encoding::kOneHotMelody;
  // Melodies: pitches in [min_note, max_note); notes are moved by octaves into
  // it, and to `transpose_to_key` (0 = C) if given.
  int min_note = 0;
  int max_note = 128;
  std::optional<int> transpose_to_key = std::nullopt;
  // Performances: velocity bins (0 = no velocity events) and the control
  // signals in front of the inputs.
  int num_velocity_bins = 0;
  ControlSpec controls = {};

  friend bool operator==(const EncodingSpec&, const EncodingSpec&) = default;
};

// `controls` is where the control values of a conditioned encoding come from;
// without it, they have their default values. Ignored by
// encodings that are not conditioned.
std::unique_ptr<EventEncoder> MakeEventEncoder(
    const EncodingSpec& spec,
    std::shared_ptr<const ControlSource> controls = nullptr);

// The classes of drums of a drum encoding.
const DrumClasses& DrumClassesOf(const EncodingSpec& spec);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODER_TABLE_H_
