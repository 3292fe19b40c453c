// SPDX-License-Identifier: Apache-2.0

// performance_rnn_create_dataset: performance-specific flags and entry point.

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/commands/create_dataset_main.h"
#include "data/events/dataset/performance_pipeline.h"
#include "models/config/config.h"
#include "runtime/base/status.h"

ABSL_FLAG(std::string, config, "performance",
          "Configuration: performance; performance_with_dynamics and its "
          "variants _compact, _and_modulo_encoding and _and_note_encoding; or "
          "density_conditioned_, pitch_conditioned_, multiconditioned_ and "
          "optional_multiconditioned_performance_with_dynamics.");

namespace continuo {

namespace {

constexpr char kAbout[] =
    R"(Turns NoteSequences into training and evaluation examples for Performance
RNN.

  performance_rnn_create_dataset --config=performance_with_dynamics \
      --input=/tmp/notes.tfrecord --output_dir=/tmp/dataset --eval_ratio=0.1

The sustain pedal is written out into note lengths; each sequence is stretched
in time by five factors, cut every 30 seconds, put on a grid of 10 ms and
transposed by -3 to 3 semitones (the evaluation set is neither stretched nor
transposed); pieces with one program and at least 32 events, cut at 512, are
encoded. Writes training_performances.tfrecord and eval_performances.tfrecord,
both always, as TFRecord files of examples. The next step is
performance_rnn_train --sequence_example_file=...)";

absl::StatusOr<ModelConfig> ConfigFromFlags() {
  return FindConfig(Family::kPerformance, absl::GetFlag(FLAGS_config));
}

absl::StatusOr<std::unique_ptr<DatasetPipeline>> MakePipeline() {
  CONTINUO_ASSIGN_OR_RETURN(const ModelConfig config, ConfigFromFlags());
  return MakePerformancePipeline({.encoding = config.encoding});
}

std::string FlagsForLog() {
  return absl::StrCat("config=", absl::GetFlag(FLAGS_config));
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::CreateDatasetMain(argc, argv,
                                     {.about = continuo::kAbout,
                                      .train = "performance_rnn_train",
                                      .make_pipeline = continuo::MakePipeline,
                                      .flags = continuo::FlagsForLog});
}
