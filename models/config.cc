#include "models/config.h"

#include "absl/strings/str_cat.h"

namespace continuo {
namespace {

// Values: the published configurations (configs reference, section 2).
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

ModelConfig Melody(std::string name, std::string description,
                   EncodingSpec encoding, Hparams hparams) {
  return {.family = Family::kMelody,
          .name = name,
          .id = name,
          .description = std::move(description),
          .encoding = encoding,
          .hparams = std::move(hparams),
          .steps_per_quarter = 4};
}

std::vector<ModelConfig> MakeMelodyConfigs() {
  return {
      Melody("basic_rnn", "Melody RNN with one-hot encoding.",
             MelodyEncoding(Encoding::kOneHotMelody), MelodyHparams(5, 0)),
      Melody("mono_rnn", "Monophonic RNN with one-hot encoding.",
             {.encoding = Encoding::kOneHotMelody,
              .min_note = 0,
              .max_note = 128,
              .transpose_to_key = std::nullopt},
             MelodyHparams(5, 0)),
      Melody("lookback_rnn", "Melody RNN with lookback encoding.",
             MelodyEncoding(Encoding::kLookbackMelody), MelodyHparams(5, 0)),
      Melody("attention_rnn",
             "Melody RNN with lookback encoding and attention.",
             MelodyEncoding(Encoding::kKeyMelody), MelodyHparams(3, 40)),
  };
}

}  // namespace

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
  static const auto& none = *new std::vector<ModelConfig>();
  return family == Family::kMelody ? melody : none;
}

absl::StatusOr<ModelConfig> FindConfig(Family family, absl::string_view name) {
  std::string names;
  for (const ModelConfig& config : Configs(family)) {
    if (config.name == name) return config;
    absl::StrAppend(&names, names.empty() ? "" : ", ", config.name);
  }
  return absl::NotFoundError(absl::StrCat(
      "--config=", name, ": no such ", FamilyName(family),
      " configuration; use one of ", names));
}

absl::StatusOr<ModelConfig> MelodyEncoderDecoderConfig(absl::string_view name) {
  ModelConfig config = Melody("", "", {}, Hparams());
  if (name == "onehot") {
    config.encoding = MelodyEncoding(Encoding::kOneHotMelody);
  } else if (name == "lookback") {
    config.encoding = MelodyEncoding(Encoding::kLookbackMelody);
  } else if (name == "key") {
    config.encoding = MelodyEncoding(Encoding::kKeyMelody);
  } else {
    return absl::NotFoundError(
        absl::StrCat("--melody_encoder_decoder=", name,
                     ": expected one of onehot, lookback, key"));
  }
  return config;
}

}  // namespace continuo
