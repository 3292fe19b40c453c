// SPDX-License-Identifier: Apache-2.0

#include "models/config/config.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/melody/melody.h"
#include "data/events/performance/performance.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// The published values, as in models/README.md.
Hparams MelodyHparams(double clip_norm, int attn_length) {
  Hparams hparams;
  hparams.batch_size = 128;
  hparams.rnn_layer_sizes = {128, 128};
  hparams.dropout_keep_prob = 0.5;
  hparams.attn_length = attn_length;
  hparams.clip_norm = clip_norm;
  return hparams;
}

EncodingSpec MelodyEncoding(Encoding encoding) {
  return {.encoding = encoding,
          .min_note = 48,
          .max_note = 84,
          .transpose_to_key = 0};
}

// On a grid of sixteenths.
ModelConfig MakeConfig(Family family, std::string name, std::string description,
                       EncodingSpec encoding, Hparams hparams) {
  return {.family = family,
          .name = name,
          .id = name,
          .description = std::move(description),
          .encoding = encoding,
          .hparams = std::move(hparams),
          .steps_per_quarter = 4};
}

ModelConfig MelodyConfig(std::string name, std::string description,
                         EncodingSpec encoding, Hparams hparams) {
  return MakeConfig(Family::kMelody, std::move(name), std::move(description),
                    encoding, std::move(hparams));
}

std::vector<ModelConfig> MakeMelodyConfigs() {
  return {
      MelodyConfig("basic_rnn", "Melody RNN with one-hot encoding.",
                   MelodyEncoding(Encoding::kOneHotMelody),
                   MelodyHparams(5, 0)),
      MelodyConfig("mono_rnn", "Monophonic RNN with one-hot encoding.",
                   {.encoding = Encoding::kOneHotMelody,
                    .min_note = 0,
                    .max_note = 128,
                    .transpose_to_key = std::nullopt},
                   MelodyHparams(5, 0)),
      MelodyConfig("lookback_rnn", "Melody RNN with lookback encoding.",
                   MelodyEncoding(Encoding::kLookbackMelody),
                   MelodyHparams(5, 0)),
      MelodyConfig("attention_rnn",
                   "Melody RNN with lookback encoding and attention.",
                   MelodyEncoding(Encoding::kKeyMelody), MelodyHparams(3, 40)),
  };
}

std::vector<ModelConfig> MakeDrumsConfigs() {
  Hparams one_drum;
  one_drum.batch_size = 128;
  one_drum.rnn_layer_sizes = {128, 128};
  one_drum.dropout_keep_prob = 0.5;
  one_drum.clip_norm = 5;
  Hparams drum_kit = one_drum;
  drum_kit.rnn_layer_sizes = {256, 256, 256};
  drum_kit.attn_length = 32;
  drum_kit.clip_norm = 3;
  return {
      {.family = Family::kDrums,
       .name = "one_drum",
       .id = "one_drum",
       .description = "Drums RNN with 2-state encoding.",
       .encoding = {.encoding = Encoding::kOneDrum},
       .hparams = one_drum,
       .steps_per_quarter = 2},
      {.family = Family::kDrums,
       .name = "drum_kit",
       .id = "drum_kit",
       .description = "Drums RNN with multiple drums and binary counters.",
       .encoding = {.encoding = Encoding::kDrumKit},
       .hparams = drum_kit,
       .steps_per_quarter = 4},
  };
}

ModelConfig PerformanceConfig(std::string name, std::string description,
                              EncodingSpec encoding) {
  Hparams hparams;
  hparams.rnn_layer_sizes = {512, 512, 512};
  return MakeConfig(Family::kPerformance, std::move(name),
                    std::move(description), encoding, std::move(hparams));
}

std::vector<ModelConfig> MakePerformanceConfigs() {
  const auto dynamics = [](Encoding encoding, ControlSpec controls = {}) {
    return EncodingSpec{
        .encoding = encoding, .num_velocity_bins = 32, .controls = controls};
  };
  ModelConfig compact =
      PerformanceConfig("performance_with_dynamics_compact",
                        "Performance RNN with dynamics (compact input)",
                        dynamics(Encoding::kCompactPerformance));
  compact.id = "performance_with_dynamics";
  return {
      PerformanceConfig("performance", "Performance RNN",
                        {.encoding = Encoding::kPerformance}),
      PerformanceConfig("performance_with_dynamics",
                        "Performance RNN with dynamics",
                        dynamics(Encoding::kPerformance)),
      compact,
      PerformanceConfig("performance_with_dynamics_and_modulo_encoding",
                        "Performance RNN with dynamics and modulo encoding",
                        dynamics(Encoding::kModuloPerformance)),
      PerformanceConfig("performance_with_dynamics_and_note_encoding",
                        "Performance RNN with dynamics and note encoding",
                        dynamics(Encoding::kNoteTuples)),
      PerformanceConfig("density_conditioned_performance_with_dynamics",
                        "Note-density-conditioned Performance RNN + dynamics",
                        dynamics(Encoding::kPerformance, {.density = true})),
      PerformanceConfig("pitch_conditioned_performance_with_dynamics",
                        "Pitch-histogram-conditioned Performance RNN",
                        dynamics(Encoding::kPerformance, {.histogram = true})),
      PerformanceConfig("multiconditioned_performance_with_dynamics",
                        "Density- and pitch-conditioned Performance RNN",
                        dynamics(Encoding::kPerformance,
                                 {.density = true, .histogram = true})),
      PerformanceConfig(
          "optional_multiconditioned_performance_with_dynamics",
          "Optionally multiconditioned Performance RNN",
          dynamics(Encoding::kPerformance,
                   {.density = true, .histogram = true, .optional = true})),
  };
}

constexpr int kOctave = 12;
// Bars have whole steps at any of these, and numbers stay small.
constexpr int kMaxStepsPerQuarter = 96;
// Far from overflow when all counts are added.
constexpr int64_t kMaxFirstEventCount = int64_t{1} << 48;

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("field \"", field, "\": ", what));
}

Family FamilyOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kOneHotMelody:
    case Encoding::kLookbackMelody:
    case Encoding::kKeyMelody:
      return Family::kMelody;
    case Encoding::kOneDrum:
    case Encoding::kDrumKit:
      return Family::kDrums;
    case Encoding::kPerformance:
    case Encoding::kCompactPerformance:
    case Encoding::kModuloPerformance:
    case Encoding::kNoteTuples:
      return Family::kPerformance;
  }
  CheckFailed(__FILE__, __LINE__, "encoding has a family");
}

absl::Status CheckEncoding(Family family, const EncodingSpec& encoding) {
  if (FamilyOf(encoding.encoding) != family) {
    return Wrong("encoding", absl::StrCat("not one of ", FamilyName(family)));
  }
  if (family == Family::kMelody &&
      (encoding.min_note < 0 || encoding.max_note > kMaxMelodyPitch + 1 ||
       encoding.max_note - encoding.min_note < kOctave)) {
    return Wrong("min_note",
                 absl::StrCat("pitches ", encoding.min_note, " to below ",
                              encoding.max_note,
                              " are not an octave or more within 0 to 127"));
  }
  const int bins = encoding.num_velocity_bins;
  const bool tuples = encoding.encoding == Encoding::kNoteTuples;
  if (family != Family::kPerformance && bins != 0) {
    return Wrong("num_velocity_bins",
                 absl::StrCat(bins, ", but ", FamilyName(family), " has none"));
  }
  if (bins < (tuples ? 1 : 0) || bins > kMaxVelocity) {
    return Wrong("num_velocity_bins",
                 absl::StrCat(bins, ", but must be from ", tuples ? 1 : 0,
                              " to ", kMaxVelocity, " with this encoding"));
  }
  const ControlSpec& controls = encoding.controls;
  if (family != Family::kPerformance && (controls.any() || controls.optional)) {
    return Wrong("encoding", absl::StrCat("controls, which ",
                                          FamilyName(family), " has not"));
  }
  if (controls.optional && !controls.any()) {
    return Wrong("optional_controls", "true, but there are no controls");
  }
  return absl::OkStatus();
}

absl::Status CheckFirstEvents(const ModelConfig& config) {
  if (config.first_events.empty()) return absl::OkStatus();
  if (config.family != Family::kMelody) {
    return Wrong("first_events", "only melodies have them");
  }
  for (const auto& [event, count] : config.first_events) {
    const bool known =
        event == kMelodyNoEvent || event == kMelodyNoteOff ||
        (event >= config.encoding.min_note && event < config.encoding.max_note);
    if (!known || count < 1 || count > kMaxFirstEventCount) {
      return Wrong("first_events",
                   absl::StrCat("event ", event, ", ", count,
                                " times: not an event of the network, or no "
                                "number of times"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckModelConfig(const ModelConfig& config) {
  CONTINUO_RETURN_IF_ERROR(CheckEncoding(config.family, config.encoding));
  if (config.steps_per_quarter < 1 ||
      config.steps_per_quarter > kMaxStepsPerQuarter) {
    return Wrong("steps_per_quarter",
                 absl::StrCat(config.steps_per_quarter,
                              ", but must be from 1 to ", kMaxStepsPerQuarter));
  }
  return CheckFirstEvents(config);
}

absl::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kMelody:
      return "melody_rnn";
    case Family::kDrums:
      return "drums_rnn";
    case Family::kPerformance:
      return "performance_rnn";
  }
  return "";
}

const std::vector<ModelConfig>& Configs(Family family) {
  static const auto& melody =
      *new std::vector<ModelConfig>(MakeMelodyConfigs());
  static const auto& drums = *new std::vector<ModelConfig>(MakeDrumsConfigs());
  static const auto& performance =
      *new std::vector<ModelConfig>(MakePerformanceConfigs());
  switch (family) {
    case Family::kMelody:
      return melody;
    case Family::kDrums:
      return drums;
    case Family::kPerformance:
      return performance;
  }
  CheckFailed(__FILE__, __LINE__, "family has configurations");
}

absl::StatusOr<ModelConfig> FindConfig(Family family, absl::string_view name) {
  std::string names;
  for (const ModelConfig& config : Configs(family)) {
    if (config.name == name) return config;
    absl::StrAppend(&names, names.empty() ? "" : ", ", config.name);
  }
  return absl::NotFoundError(
      absl::StrCat("`config`=", name, ": no such ", FamilyName(family),
                   " configuration; use one of ", names));
}

absl::StatusOr<ModelConfig> MelodyEncoderDecoderConfig(absl::string_view name) {
  ModelConfig config = MelodyConfig("", "", {}, Hparams());
  if (name == "onehot") {
    config.encoding = MelodyEncoding(Encoding::kOneHotMelody);
  } else if (name == "lookback") {
    config.encoding = MelodyEncoding(Encoding::kLookbackMelody);
  } else if (name == "key") {
    config.encoding = MelodyEncoding(Encoding::kKeyMelody);
  } else {
    return absl::NotFoundError(
        absl::StrCat("`melody_encoder_decoder`=", name,
                     ": expected one of onehot, lookback, key"));
  }
  return config;
}

}  // namespace continuo
