// SPDX-License-Identifier: Apache-2.0

// drums_rnn_create_dataset: drums-specific flags and entry point.

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/commands/create_dataset_main.h"
#include "data/commands/model_flags.h"
#include "data/events/dataset/drums_pipeline.h"
#include "models/config/config.h"
#include "runtime/base/status.h"

ABSL_FLAG(std::string, config, "drum_kit",
          "Configuration: one_drum or drum_kit.");
ABSL_FLAG(std::string, treat_as_drums, "",
          "Notes that count as drums besides those of MIDI's drum channel "
          "(10): \"all\", or instrument numbers as in \"0,2\". --report lists "
          "the instruments of the files in which no drums were found.");

namespace continuo {

namespace {

constexpr char kAbout[] =
    R"(Turns NoteSequences into training and evaluation examples for Drums RNN.

  drums_rnn_create_dataset --config=drum_kit \
      --input=/tmp/notes.tfrecord --output_dir=/tmp/dataset --eval_ratio=0.1
  drums_rnn_create_dataset --treat_as_drums=all \
      --input=/tmp/notes.tfrecord --output_dir=/tmp/dataset

Each sequence is split where metre or tempo change and put on a grid of
sixteenths (one_drum: eighths); the drum notes of all instruments together make
tracks of at least 7 bars, ended by a bar of silence and cut at 512 steps, of
which the drum classes of the configuration are encoded. Writes
training_drum_tracks.tfrecord and eval_drum_tracks.tfrecord, both always, as
TFRecord files of examples. The next step is
drums_rnn_train --sequence_example_file=...)";

absl::StatusOr<ModelConfig> ConfigFromFlags() {
  CONTINUO_ASSIGN_OR_RETURN(
      ModelConfig config,
      FindConfig(Family::kDrums, absl::GetFlag(FLAGS_config)));
  CONTINUO_RETURN_IF_ERROR(ApplyHparamsOfFlags(&config));
  return config;
}

absl::StatusOr<std::unique_ptr<DatasetPipeline>> MakePipeline() {
  CONTINUO_ASSIGN_OR_RETURN(const ModelConfig config, ConfigFromFlags());
  DrumsPipelineOptions options;
  options.encoding = config.encoding;
  options.steps_per_quarter = config.steps_per_quarter;
  CONTINUO_RETURN_IF_ERROR(
      ParseTreatAsDrums(absl::GetFlag(FLAGS_treat_as_drums), &options));
  return MakeDrumsPipeline(options);
}

std::string FlagsForLog() {
  return absl::StrCat("config=", absl::GetFlag(FLAGS_config),
                      " treat_as_drums=", absl::GetFlag(FLAGS_treat_as_drums));
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::CreateDatasetMain(argc, argv,
                                     {.about = continuo::kAbout,
                                      .train = "drums_rnn_train",
                                      .make_pipeline = continuo::MakePipeline,
                                      .flags = continuo::FlagsForLog});
}
