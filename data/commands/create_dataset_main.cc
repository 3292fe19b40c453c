// SPDX-License-Identifier: Apache-2.0

#include "data/commands/create_dataset_main.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "data/events/dataset/dataset_builder.h"
#include "data/records/shards.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/base/stop.h"
#include "runtime/base/threads.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/command/share_flags.h"
#include "runtime/command/thread_flags.h"
#include "runtime/files/disk_space.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, input, "",
          "TFRecord file of NoteSequences, a pattern that matches several "
          "(quote it: --input='notes-*-of-00008'), notes@8 for a set of 8 "
          "shards, or a list of these with commas. Required.");
ABSL_FLAG(std::string, output_dir, "",
          "Folder for the data set; created if missing. Required.");
ABSL_FLAG(double, eval_ratio, 0.1,
          "Fraction of the input sequences that go to the evaluation set, "
          "0 to 1. All pieces of a sequence go to the same set.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Seed of the draw between training and evaluation. Default: a "
          "random one, which is printed.");
ABSL_FLAG(int, num_shards, 1,
          "Files per set; more than one are named "
          "name.tfrecord-00000-of-00008 and so on. Several processes write one "
          "each.");
ABSL_FLAG(
    std::string, format, "magenta",
    "What the files hold: \"magenta\" for SequenceExamples, which Magenta "
    "reads, too, or \"compact\" for records from which inputs are made "
    "when they are read, in files that are 100 to 1000 times smaller for "
    "most configurations. Training gives the same network, bit for bit; "
    "convert_dataset makes one of the other.");
ABSL_FLAG(
    bool, dedup, false,
    "Leave out sequences with the same notes as an earlier one, even in "
    "another key, tempo or kind of file, and keep similar ones in one set, "
    "so that no training data is evaluated. Reads the input twice.");
ABSL_FLAG(std::string, report, "",
          "File for a line of JSON per input sequence: its set, its examples, "
          "and what was dropped and why; - is standard "
          "output.");

namespace continuo {
namespace {

constexpr char kExitStatus[] =
    R"(Exit status: 0 if there is at least one example; 1 for wrong flags, damaged
input, a failed write, or if nothing is left, with the reasons counted; 130
after Ctrl-C. Except for 0 no data file appears (old ones stay).)";

CommandHelp Help(const CreateDatasetCommand& command) {
  return {
      .about = command.about,
      .own_file = "create_dataset_main.cc",
      .groups = {{"Required",
                  HelpLevel::kRequired,
                  {"input=FILES", "output_dir=FOLDER"}},
                 {"Data set",
                  HelpLevel::kCommon,
                  {"config=NAME", "eval_ratio=0..1", "seed",
                   "format=magenta|compact", "dedup"}},
                 {"Selection",
                  HelpLevel::kCommon,
                  {"ignore_polyphonic_notes", "treat_as_drums=INSTRUMENTS"}},
                 {"Reports", HelpLevel::kCommon, {"report=FILE", "log=LEVEL"}},
                 {"Advanced",
                  HelpLevel::kMore,
                  {"num_shards", "threads", "melody_encoder_decoder=NAME",
                   "hparams=NAME=VALUE,...", "generator_id=TEXT",
                   "generator_description=TEXT"}}},
      .after = kExitStatus,
      .see_also = {"convert_dir_to_note_sequences", command.train,
                   "continuo_inspect"}};
}

absl::Status Missing(absl::string_view flag, absl::string_view remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " is required: ", remedy));
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
  absl::StatusOr<std::vector<std::string>> inputs = ShardFiles(input);
  if (!inputs.ok()) return Annotate(inputs.status(), "--input");
  options.inputs = *std::move(inputs);
  options.output_dir = ExpandHome(absl::GetFlag(FLAGS_output_dir));
  options.eval_ratio = absl::GetFlag(FLAGS_eval_ratio);
  if (!(options.eval_ratio >= 0 && options.eval_ratio <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--eval_ratio=", options.eval_ratio, ": must lie between 0 and 1"));
  }
  options.dedup = absl::GetFlag(FLAGS_dedup);
  CONTINUO_ASSIGN_OR_RETURN(options.share, ShareOfFlags());
  if (!options.share.is_all() && !absl::GetFlag(FLAGS_seed).has_value()) {
    return absl::InvalidArgumentError(
        "--seed is required where several processes make a data set: each must "
        "draw the same sequences for evaluation");
  }
  options.num_shards = absl::GetFlag(FLAGS_num_shards);
  CONTINUO_RETURN_IF_ERROR(CheckShards(options.share, options.num_shards));
  if (options.num_shards < 1 || options.num_shards > 99999) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--num_shards=", options.num_shards, ": must lie in 1..99999"));
  }
  CONTINUO_ASSIGN_OR_RETURN(options.format,
                            DatasetFormatByName(absl::GetFlag(FLAGS_format)));
  options.report = ExpandHome(absl::GetFlag(FLAGS_report));
  options.draw = [seed](int64_t index) {
    return RandomDouble(seed, RandomPurpose::kPartition, 0,
                        static_cast<uint64_t>(index));
  };
  options.stop = &StopOnSignals();
  return options;
}

// Whether all files belong to a set of so many.
bool WholeSet(const std::vector<std::string>& files, int size) {
  const std::string ending = absl::StrFormat("-of-%05d", size);
  return std::all_of(files.begin(), files.end(), [&](const std::string& file) {
    return absl::EndsWith(file, ending);
  });
}

// Shards of an earlier run would be read together with the new files.
void WarnAboutOtherShards(const DatasetSummary& summary,
                          const WorkShare& share) {
  const size_t shards = summary.files.size() / 2;
  for (const std::string& file : summary.files) {
    const size_t end = file.find(".tfrecord") + 9;
    const auto found = Glob(absl::StrCat(file.substr(0, end), "*"));
    if (!found.ok()) continue;
    // Of several processes, the others may be done or not.
    if (share.is_all() ? found->size() == shards
                       : WholeSet(*found, share.size)) {
      continue;
    }
    LogWarn(file.substr(0, end),
            "*: files of another run are beside those just written; "
            "remove them before training on this pattern");
    return;
  }
}

absl::Status Run(const CreateDatasetCommand& command) {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  const std::optional<uint64_t> given = absl::GetFlag(FLAGS_seed);
  const uint64_t seed = given.has_value() ? *given : RandomSeed();
  CONTINUO_ASSIGN_OR_RETURN(const DatasetOptions options,
                            OptionsFromFlags(seed));
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                            OpenThreadsOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<DatasetPipeline> pipeline,
                            command.make_pipeline());
  LogInfo(command.flags(), " input=", absl::StrJoin(options.inputs, ","),
          " output_dir=", options.output_dir,
          " eval_ratio=", options.eval_ratio, " seed=", seed,
          " num_shards=", options.num_shards,
          " format=", absl::GetFlag(FLAGS_format),
          " dedup=", options.dedup ? "true" : "false",
          " threads=", pool->num_threads());

  DatasetSummary summary;
  const absl::Status status =
      BuildDataset(*pipeline, options, pool.get(), &summary);
  if (status.ok() || absl::IsFailedPrecondition(status)) {
    LogInfo("Completed.");
    LogInfo("Processed ", summary.sequences, " inputs total. Produced ",
            summary.training_examples + summary.eval_examples, " outputs.");
    for (const std::string& line : summary.statistics.Lines()) LogInfo(line);
  }
  CONTINUO_RETURN_IF_ERROR(status);
  for (const auto& [reason, times] : summary.discarded) {
    LogInfo(reason, ": ", times, " (", DiscardRemedy(*pipeline, reason), ")");
  }
  LogInfo("Wrote ", summary.training_examples, " training and ",
          summary.eval_examples, " evaluation examples to ",
          absl::StrJoin(summary.files, ", "), " (",
          BytesToText(summary.training_bytes), " and ",
          BytesToText(summary.eval_bytes), ")");
  if (summary.training_examples == 0 && options.eval_ratio < 1) {
    LogWarn(
        "the training set is empty: lower --eval_ratio or give another "
        "--seed");
  }
  WarnAboutOtherShards(summary, options.share);
  return absl::OkStatus();
}

}  // namespace

int CreateDatasetMain(int argc, char** argv,
                      const CreateDatasetCommand& command) {
  return RunCommand(argc, argv, Help(command),
                    [&command] { return Run(command); });
}

}  // namespace continuo
