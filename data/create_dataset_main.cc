// melody_rnn_create_dataset and, by compile definitions, its kin: NoteSequence
// records to training and evaluation files of SequenceExamples.

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/events/dataset_builder.h"
#include "data/events/melody_pipeline.h"
#include "models/config.h"
#include "models/hparams.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "runtime/status.h"
#include "runtime/threads.h"

ABSL_FLAG(std::string, input, "",
          "TFRecord file of NoteSequences, or a pattern that matches several "
          "(quote it: --input='notes-*-of-00008'). Required.");
ABSL_FLAG(std::string, output_dir, "",
          "Folder for the data set; created if missing. Required.");
ABSL_FLAG(double, eval_ratio, 0.1,
          "Fraction of the input sequences that go to the evaluation set, "
          "0 to 1. All pieces of a sequence go to the same set.");
ABSL_FLAG(std::string, config, "",
          "Configuration: basic_rnn, mono_rnn, lookback_rnn or "
          "attention_rnn. Either this or --melody_encoder_decoder.");
ABSL_FLAG(std::string, melody_encoder_decoder, "",
          "Encoding without a configuration: onehot, lookback or key.");
ABSL_FLAG(std::string, generator_id, "",
          "Accepted for compatibility: the data do not depend on it.");
ABSL_FLAG(std::string, generator_description, "",
          "Accepted for compatibility: the data do not depend on it.");
ABSL_FLAG(std::string, hparams, "",
          "Hyperparameters, name=value,... Checked, but the data do not "
          "depend on them.");
ABSL_FLAG(std::string, log, "INFO",
          "Least severity to log: DEBUG, INFO, WARN, ERROR or FATAL.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Seed of the draw between training and evaluation. Default: a "
          "random one, which is printed.");
ABSL_FLAG(int, num_shards, 1,
          "Files per set; more than one are named "
          "training_melodies.tfrecord-00000-of-00008 and so on.");
ABSL_FLAG(int, threads, 0, "Threads; 0 = one per CPU.");
ABSL_FLAG(std::string, report, "",
          "File for one line of JSON per input sequence: the set it went to, "
          "the examples it gave, and what was dropped and why.");
ABSL_FLAG(bool, ignore_polyphonic_notes, false,
          "Where notes of an instrument start together, keep the highest "
          "instead of dropping the rest of the instrument.");

namespace continuo {
namespace {

constexpr Family kFamily = Family::CONTINUO_FAMILY;

constexpr char kUsage[] =
    R"(Turns NoteSequences into training and evaluation examples for Melody RNN.

  melody_rnn_create_dataset --config=attention_rnn \
      --input=/tmp/notes.tfrecord --output_dir=/tmp/dataset --eval_ratio=0.1

Each sequence is split where metre or tempo change and put on a grid of
sixteenths; the melodies of each instrument (at least 7 bars and 5 different
pitches, ended by a bar of silence, cut at 512 steps) are moved into the range
and key of the configuration and encoded. Writes training_melodies.tfrecord and
eval_melodies.tfrecord, both always, as TFRecord files of SequenceExamples. The
next step is melody_rnn_train --sequence_example_file=...

Exit status: 0 if there is at least one example; 1 for wrong flags, damaged
input, a failed write, or if nothing is left, with the reasons counted; 130
after Ctrl-C. Except for 0 no data file appears (old ones stay).)";

std::atomic<bool> stop_requested{false};

absl::Status Missing(absl::string_view flag, absl::string_view remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " is required: ", remedy));
}

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
                                         : FindConfig(kFamily, name));
  CONTINUO_RETURN_IF_ERROR(
      ParseHparams(absl::GetFlag(FLAGS_hparams), &config.hparams));
  return config;
}

absl::StatusOr<DatasetOptions> OptionsFromFlags(uint64_t seed) {
  DatasetOptions options;
  const std::string input = absl::GetFlag(FLAGS_input);
  if (input.empty()) {
    return Missing("input", "a file made by convert_dir_to_note_sequences");
  }
  if (absl::GetFlag(FLAGS_output_dir).empty()) {
    return Missing("output_dir", "the folder for the data set");
  }
  absl::StatusOr<std::vector<std::string>> inputs = Glob(input);
  if (!inputs.ok()) return Annotate(inputs.status(), "--input");
  options.inputs = *std::move(inputs);
  options.output_dir = ExpandHome(absl::GetFlag(FLAGS_output_dir));
  options.eval_ratio = absl::GetFlag(FLAGS_eval_ratio);
  if (!(options.eval_ratio >= 0 && options.eval_ratio <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--eval_ratio=", options.eval_ratio, ": must lie between 0 and 1"));
  }
  options.num_shards = absl::GetFlag(FLAGS_num_shards);
  if (options.num_shards < 1 || options.num_shards > 99999) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--num_shards=", options.num_shards, ": must lie in 1..99999"));
  }
  if (absl::GetFlag(FLAGS_threads) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--threads=", absl::GetFlag(FLAGS_threads),
                     ": must be 0 (one per CPU) or more"));
  }
  options.report = ExpandHome(absl::GetFlag(FLAGS_report));
  options.draw = [seed](int64_t index) {
    return RandomDouble(seed, RandomPurpose::kPartition, 0,
                        static_cast<uint64_t>(index));
  };
  options.stop = &stop_requested;
  return options;
}

std::unique_ptr<DatasetPipeline> PipelineOf(const ModelConfig& config) {
  return MakeMelodyPipeline({.encoding = config.encoding,
                             .steps_per_quarter = config.steps_per_quarter,
                             .ignore_polyphonic_notes =
                                 absl::GetFlag(FLAGS_ignore_polyphonic_notes)});
}

// Shards of an earlier run would be read together with the new files.
void WarnAboutOtherShards(const DatasetSummary& summary) {
  for (const std::string& file : summary.files) {
    const size_t end = file.find(".tfrecord") + 9;
    const auto found = Glob(absl::StrCat(file.substr(0, end), "*"));
    if (!found.ok() || found->size() == summary.files.size() / 2) continue;
    LogWarn(file.substr(0, end),
            "*: there are files of another run beside those written now; "
            "remove them before training on this pattern");
    return;
  }
}

absl::Status Run() {
  CONTINUO_RETURN_IF_ERROR(SetLogLevel(absl::GetFlag(FLAGS_log)));
  CONTINUO_ASSIGN_OR_RETURN(const ModelConfig config, ConfigFromFlags());
  const std::optional<uint64_t> given = absl::GetFlag(FLAGS_seed);
  const uint64_t seed = given.has_value() ? *given : RandomSeed();
  CONTINUO_ASSIGN_OR_RETURN(const DatasetOptions options,
                            OptionsFromFlags(seed));
  ThreadPool pool(absl::GetFlag(FLAGS_threads));
  const std::unique_ptr<DatasetPipeline> pipeline = PipelineOf(config);
  LogInfo("config=",
          config.name.empty() ? absl::GetFlag(FLAGS_melody_encoder_decoder)
                              : config.name,
          " input=", absl::StrJoin(options.inputs, ","),
          " output_dir=", options.output_dir,
          " eval_ratio=", options.eval_ratio, " seed=", seed,
          " num_shards=", options.num_shards, " threads=", pool.num_threads(),
          " ignore_polyphonic_notes=",
          absl::GetFlag(FLAGS_ignore_polyphonic_notes) ? "true" : "false");

  DatasetSummary summary;
  const absl::Status status = BuildDataset(*pipeline, options, &pool, &summary);
  if (status.ok() || absl::IsFailedPrecondition(status)) {
    LogInfo("Completed.");
    LogInfo("Processed ", summary.sequences, " inputs total. Produced ",
            summary.training_examples + summary.eval_examples, " outputs.");
    for (const std::string& line : summary.statistics.Lines()) LogInfo(line);
  }
  CONTINUO_RETURN_IF_ERROR(status);
  for (const auto& [reason, times] : summary.discarded) {
    LogInfo(reason, ": ", times, " (", pipeline->Remedy(reason), ")");
  }
  LogInfo("Wrote ", summary.training_examples, " training and ",
          summary.eval_examples, " evaluation examples to ",
          absl::StrJoin(summary.files, ", "));
  if (summary.training_examples == 0 && options.eval_ratio < 1) {
    LogWarn(
        "the training set is empty: lower --eval_ratio or give another "
        "--seed");
  }
  WarnAboutOtherShards(summary);
  return absl::OkStatus();
}

int Fail(absl::string_view message) {
  LogError(message);
  return 1;
}

// The second signal ends the program at once.
void InstallSignalHandlers() {
  struct sigaction action = {};
  action.sa_handler = [](int) { stop_requested.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int Main(int argc, char** argv) {
  absl::SetProgramUsageMessage(kUsage);
  const auto is_own = [](absl::string_view file) {
    return absl::EndsWith(file, "data/create_dataset_main.cc");
  };
  absl::SetFlagsUsageConfig({.contains_helpshort_flags = is_own,
                             .contains_help_flags = is_own,
                             .contains_helppackage_flags = is_own,
                             .version_string = nullptr,
                             .normalize_filename = [](absl::string_view) {
                               return std::string(
                                   "data/create_dataset_main.cc");
                             }});
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return Fail(absl::StrCat("unexpected argument \"", rest[1],
                             "\": write --input=", rest[1],
                             " if that is the file to read"));
  }
  InstallSignalHandlers();
  const absl::Status status = Run();
  if (status.ok()) return 0;
  Fail(status.message());
  return absl::IsCancelled(status) ? 130 : 1;
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) { return continuo::Main(argc, argv); }
