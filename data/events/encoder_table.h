// The encodings by name: adding one is a file in this folder and a row in
// encoder_table.cc.

#ifndef CONTINUO_DATA_EVENTS_ENCODER_TABLE_H_
#define CONTINUO_DATA_EVENTS_ENCODER_TABLE_H_

#include <memory>
#include <optional>

#include "data/events/event_encoder.h"

namespace continuo {

enum class Encoding {
  kOneHotMelody,    // basic_rnn, mono_rnn
  kLookbackMelody,  // lookback_rnn
  kKeyMelody,       // attention_rnn
};

// What an encoding needs to know besides its kind.
struct EncodingSpec {
  Encoding encoding = Encoding::kOneHotMelody;
  // Melodies: pitches in [min_note, max_note); notes are moved by octaves into
  // it, and to `transpose_to_key` (0 = C) if given.
  int min_note = 0;
  int max_note = 128;
  std::optional<int> transpose_to_key = std::nullopt;
};

std::unique_ptr<EventEncoder> MakeEventEncoder(const EncodingSpec& spec);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODER_TABLE_H_
