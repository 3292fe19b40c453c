// SPDX-License-Identifier: Apache-2.0

#include "data/events/encoder_table.h"

#include <utility>
#include <vector>

#include "data/events/drums/drums_one_hot.h"
#include "data/events/encoding/lookback.h"
#include "data/events/encoding/one_hot.h"
#include "data/events/melody/key_melody.h"
#include "data/events/melody/one_hot_melody.h"
#include "data/events/performance/conditioned.h"
#include "data/events/performance/note_tuple.h"
#include "data/events/performance/performance_modulo.h"
#include "data/events/performance/performance_one_hot.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

std::unique_ptr<EventEncoder> MakeUnconditioned(const EncodingSpec& spec) {
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
    case Encoding::kOneDrum:
      return std::make_unique<OneHotEncoder>(std::make_unique<DrumsOneHot>(1));
    case Encoding::kDrumKit:
      return std::make_unique<LookbackEncoder>(std::make_unique<DrumsOneHot>(9),
                                               std::vector<int>(), 6);
    case Encoding::kPerformance:
    case Encoding::kCompactPerformance:
      return std::make_unique<OneHotEncoder>(
          std::make_unique<PerformanceOneHot>(spec.num_velocity_bins),
          spec.encoding == Encoding::kCompactPerformance);
    case Encoding::kModuloPerformance:
      return std::make_unique<ModuloPerformanceEncoder>(spec.num_velocity_bins);
    case Encoding::kNoteTuples:
      return std::make_unique<NoteTupleEncoder>(spec.num_velocity_bins);
  }
  CONTINUO_CHECK(false);
}

}  // namespace

std::unique_ptr<EventEncoder> MakeEventEncoder(
    const EncodingSpec& spec, std::shared_ptr<const ControlSource> controls) {
  auto encoder = MakeUnconditioned(spec);
  if (!spec.controls.any()) return encoder;
  if (controls == nullptr) {
    controls = std::make_shared<ControlTrack>(std::vector<ControlValues>(1));
  }
  return std::make_unique<ConditionedEncoder>(std::move(encoder), spec.controls,
                                              std::move(controls));
}

const DrumClasses& DrumClassesOf(const EncodingSpec& spec) {
  CONTINUO_CHECK(spec.encoding == Encoding::kOneDrum ||
                 spec.encoding == Encoding::kDrumKit);
  return spec.encoding == Encoding::kOneDrum ? OneDrumClass()
                                             : NineDrumClasses();
}

}  // namespace continuo
