// SPDX-License-Identifier: Apache-2.0

// melody_rnn_create_dataset: melody-specific flags and entry point.

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/commands/create_dataset_main.h"
#include "data/commands/model_flags.h"
#include "data/events/dataset/melody_pipeline.h"
#include "models/config/config.h"
#include "runtime/base/status.h"

ABSL_FLAG(std::string, config, "",
          "Configuration: basic_rnn, mono_rnn, lookback_rnn or "
          "attention_rnn. Either this or --melody_encoder_decoder.");
ABSL_FLAG(std::string, melody_encoder_decoder, "",
          "Encoding without a configuration: onehot, lookback or key.");
ABSL_FLAG(bool, ignore_polyphonic_notes, false,
          "Where notes of an instrument start together, keep the highest "
          "instead of dropping the rest of the instrument.");

namespace continuo {

namespace {

constexpr char kAbout[] =
    R"(Turns NoteSequences into training and evaluation examples for Melody RNN.

  melody_rnn_create_dataset --config=attention_rnn \
      --input=/tmp/notes.tfrecord --output_dir=/tmp/dataset --eval_ratio=0.1

Each sequence is split where metre or tempo change and put on a grid of
sixteenths; the melodies of each instrument (at least 7 bars and 5 different
pitches, ended by a bar of silence, cut at 512 steps) are moved into the range
and key of the configuration and encoded. Writes training_melodies.tfrecord and
eval_melodies.tfrecord, both always, as TFRecord files of examples. The
next step is melody_rnn_train --sequence_example_file=...)";

absl::StatusOr<ModelConfig> ConfigFromFlags() {
  const std::string name = absl::GetFlag(FLAGS_config);
  const std::string encoder = absl::GetFlag(FLAGS_melody_encoder_decoder);
  if (name.empty() == encoder.empty()) {
    return absl::InvalidArgumentError(
        "give exactly one of --config (basic_rnn, mono_rnn, lookback_rnn, "
        "attention_rnn) and --melody_encoder_decoder (onehot, lookback, key)");
  }
  CONTINUO_ASSIGN_OR_RETURN(ModelConfig config,
                            name.empty() ? MelodyEncoderDecoderConfig(encoder)
                                         : FindConfig(Family::kMelody, name));
  CONTINUO_RETURN_IF_ERROR(ApplyHparamsOfFlags(&config));
  return config;
}

absl::StatusOr<std::unique_ptr<DatasetPipeline>> MakePipeline() {
  CONTINUO_ASSIGN_OR_RETURN(const ModelConfig config, ConfigFromFlags());
  return MakeMelodyPipeline(
      {.encoding = config.encoding,
       .steps_per_quarter = config.steps_per_quarter,
       .extract = {.ignore_polyphonic_notes =
                       absl::GetFlag(FLAGS_ignore_polyphonic_notes)}});
}

std::string FlagsForLog() {
  return absl::StrCat(
      "config=", absl::GetFlag(FLAGS_config),
      " melody_encoder_decoder=", absl::GetFlag(FLAGS_melody_encoder_decoder),
      " ignore_polyphonic_notes=",
      absl::GetFlag(FLAGS_ignore_polyphonic_notes) ? "true" : "false");
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::CreateDatasetMain(argc, argv,
                                     {.about = continuo::kAbout,
                                      .train = "melody_rnn_train",
                                      .make_pipeline = continuo::MakePipeline,
                                      .flags = continuo::FlagsForLog});
}
