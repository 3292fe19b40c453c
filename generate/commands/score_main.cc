// SPDX-License-Identifier: Apache-2.0

#include "generate/commands/score_main.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "data/records/shards.h"
#include "generate/commands/batch_flags.h"
#include "generate/commands/model_flags.h"
#include "generate/model/load_model.h"
#include "generate/scoring/score_run.h"
#include "models/network/device_check.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/command/command_line.h"
#include "runtime/command/compute_flags.h"
#include "runtime/command/launch_flags.h"
#include "runtime/command/log_flags.h"
#include "runtime/command/self_check_flag.h"
#include "runtime/command/share_flags.h"
#include "runtime/command/thread_flags.h"
#include "runtime/device/device.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, config, "",
          "Configuration the model was trained with. Only needed for "
          "Magenta checkpoints, which do not store it");
ABSL_FLAG(std::string, input, "",
          "What to score: MIDI, MusicXML and ABC files, TFRecords of "
          "NoteSequences, data sets of create_dataset, patterns of these "
          "(quoted), set.tfrecord@8 for a set of 8 shards, or folders; several "
          "with commas between them. Required");
ABSL_FLAG(bool, recursive, false,
          "Also read the subfolders of folders in --input");
ABSL_FLAG(continuo::Reading, reading, continuo::Reading::kStandard,
          "How music files are read where their format's standard and Magenta "
          "disagree: standard, or magenta");
ABSL_FLAG(std::string, output, "",
          "File for the scores, one JSON object a line; - or nothing is "
          "standard output");
ABSL_FLAG(std::string, summary, "",
          "File for one JSON object over all sequences, each class with its "
          "number of labels and of correct predictions");
ABSL_FLAG(std::string, report, "",
          "File for one JSON object per file, tune or record: whether it was "
          "scored or skipped, how many sequences it gave, and what was dropped "
          "and why; - is standard output");
ABSL_FLAG(bool, classes, false,
          "Count labels and correct predictions of each class in every line");
CONTINUO_SELF_CHECK_FLAG(false);

namespace continuo {
namespace {

CommandHelp Help(const ScoreCommand& command) {
  const absl::string_view name = FamilyName(command.family);
  return {
      .about = absl::StrCat(
          "Scores music: how probable it is under a trained model.\n\n  ", name,
          "_score --run_dir=RUN --input=tune.mid\n  ", name,
          "_score --bundle_file=model.mag --input=notes.tfrecord,tunes \\\n"
          "      --recursive --output=scores.jsonl --summary=all.json\n\n",
          command.pieces,
          "\n\nEach sequence is a line of JSON: file, tune (of an ABC book) "
          "or\n"
          "record (of a TFRecord), sequence (its number in it, from 0),\n"
          "predicted_events (all but the first, which is not predicted),\n"
          "log_likelihood (of these events, in nats, at temperature 1), "
          "bits_per_event,\n"
          "perplexity (per event), accuracy (how often the most probable class "
          "is\n"
          "right), event_accuracy and no_event_accuracy (the same over labels "
          "that\n"
          "are not, or are, the default event),\n"
          "and per_class_accuracy (the mean over the classes that occur). The "
          "log\n"
          "on standard error ends with the totals."),
      .own_file = "score_main.cc",
      .groups = {{"Required", HelpLevel::kRequired, {"input=FILES"}},
                 {"The model, one of",
                  HelpLevel::kCommon,
                  {"run_dir=FOLDER", "bundle_file=FILE.mag",
                   "checkpoint_file=CHECKPOINT"}},
                 {"Input",
                  HelpLevel::kCommon,
                  {"recursive", "reading=standard|magenta",
                   "treat_as_drums=LIST"}},
                 {"Output",
                  HelpLevel::kCommon,
                  {"output=FILE", "summary=FILE", "report=FILE", "classes",
                   "log=LEVEL"}},
                 {"Which pieces are scored",
                  HelpLevel::kMore,
                  {"min_bars", "max_steps=STEPS", "min_unique_pitches",
                   "ignore_polyphonic_notes", "min_events", "max_events",
                   "split_seconds=SECONDS", "disable_conditioning=True|False"}},
                 {"Advanced",
                  HelpLevel::kMore,
                  {"threads", "batch", "config=NAME",
                   "melody_encoder_decoder=NAME", "hparams=NAME=VALUE,..."}}},
      .after =
          "Exit status: 0 if at least one sequence was scored; 1 for wrong "
          "flags,\nan unreadable model, a damaged TFRecord, or nothing to "
          "score.",
      .see_also = {absl::StrCat(name, "_train"),
                   absl::StrCat(name, "_generate")},
      .unused = {"rnn_backend"}};
}

absl::StatusOr<ScoreOptions> OptionsFromFlags() {
  ScoreOptions options;
  const std::string input = absl::GetFlag(FLAGS_input);
  if (input.empty()) {
    return absl::InvalidArgumentError(
        "--input is required: the music files, folders or TFRecords to score");
  }
  options.inputs = absl::StrSplit(input, ',', absl::SkipEmpty());
  options.recursive = absl::GetFlag(FLAGS_recursive);
  options.reading = {.reading = absl::GetFlag(FLAGS_reading)};
  options.output = ExpandHome(absl::GetFlag(FLAGS_output));
  if (options.output.empty()) options.output = std::string(kStandardStream);
  options.summary = ExpandHome(absl::GetFlag(FLAGS_summary));
  options.report = ExpandHome(absl::GetFlag(FLAGS_report));
  options.classes = absl::GetFlag(FLAGS_classes);
  CONTINUO_ASSIGN_OR_RETURN(options.batch_rows, BatchOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(options.share, ShareOfFlags());
  if (!options.share.is_all()) {
    for (const auto& [name, path] : {std::pair("output", options.output),
                                     {"summary", options.summary},
                                     {"report", options.report}}) {
      if (path != kStandardStream) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--", name,
                       " must be a file where several processes "
                       "score: their lines would get mixed up"));
    }
  }
  return options;
}

absl::Status CheckPaths(const ScoreOptions& options) {
  std::vector<FieldPath> inputs = ModelPathsOfFlags();
  for (const std::string& input : options.inputs) {
    const auto paths = ExpandShards(input);
    if (!paths.ok()) continue;  // said when they are read
    for (const std::string& path : *paths) inputs.push_back({"input", path});
  }
  const WorkShare& share = options.share;
  return CheckDistinctPaths({{"output", ShareName(options.output, share)},
                             {"summary", ShareName(options.summary, share)},
                             {"report", ShareName(options.report, share)}},
                            inputs);
}

absl::Status Run(const ScoreCommand& command) {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const ScoreOptions options, OptionsFromFlags());
  CONTINUO_RETURN_IF_ERROR(CheckPaths(options));
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                            OpenThreadsOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const LaunchIdentity identity,
                            LaunchIdentityOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const OwnedStream owned,
                            OpenStreamOfFlags(pool.get(), identity));
  ModelSource source = ModelSourceOfFlags();
  source.config = absl::GetFlag(FLAGS_config);
  source.melody_encoder_decoder = command.melody_encoder_decoder();
  CONTINUO_ASSIGN_OR_RETURN(const LoadedModel model,
                            LoadModel(source, command.family, owned.stream()));
  if (absl::GetFlag(FLAGS_self_check)) {
    CONTINUO_RETURN_IF_ERROR(CheckDevice(owned.stream(), model.rnn->spec()));
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<DatasetPipeline> pipeline,
                            command.make_pipeline(model.config));
  LogModel(model);
  const absl::Duration begin = MonotonicTime();
  CONTINUO_ASSIGN_OR_RETURN(const ScoreSummary summary,
                            ScoreFiles(model, *pipeline, options));
  const double seconds = absl::ToDoubleSeconds(MonotonicTime() - begin);
  const ScoreMetrics& metrics = summary.metrics;
  const auto json = MetricsJson(metrics, /*classes=*/false);
  LogInfo(absl::StrFormat(
      "Scored %d sequences of %d pieces (%d skipped), %d events in %.2f s "
      "(%.0f events/s): log-likelihood %.3f, %.4f bits/event, accuracy %.4f, "
      "per-class accuracy %.4f",
      metrics.sequences, summary.pieces, summary.skipped,
      metrics.predicted_events, seconds,
      static_cast<double>(metrics.predicted_events) / std::max(1e-9, seconds),
      metrics.log_likelihood, json["bits_per_event"].get<double>(),
      json["accuracy"].get<double>(),
      json["per_class_accuracy"].get<double>()));
  return absl::OkStatus();
}

}  // namespace

int ScoreMain(int argc, char** argv, const ScoreCommand& command) {
  return RunCommand(argc, argv, Help(command),
                    [&command] { return Run(command); });
}

}  // namespace continuo
