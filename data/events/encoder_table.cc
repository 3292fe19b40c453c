#include "data/events/encoder_table.h"

#include "data/events/key_melody.h"
#include "data/events/lookback.h"
#include "data/events/one_hot.h"
#include "data/events/one_hot_melody.h"
#include "runtime/log.h"

namespace continuo {

std::unique_ptr<EventEncoder> MakeEventEncoder(const EncodingSpec& spec) {
  switch (spec.encoding) {
    case Encoding::kOneHotMelody:
      return std::make_unique<OneHotEncoder>(
          std::make_unique<MelodyOneHot>(spec.min_note, spec.max_note));
    case Encoding::kLookbackMelody:
      return std::make_unique<LookbackEncoder>(
          std::make_unique<MelodyOneHot>(spec.min_note, spec.max_note),
          std::vector<int>{16, 32}, 5);
    case Encoding::kKeyMelody:
      return std::make_unique<KeyMelodyEncoder>(spec.min_note, spec.max_note);
  }
  CONTINUO_CHECK(false);
}

}  // namespace continuo
