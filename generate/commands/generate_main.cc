// SPDX-License-Identifier: Apache-2.0

#include "generate/commands/generate_main.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "generate/commands/batch_flags.h"
#include "generate/commands/model_flags.h"
#include "generate/model/load_model.h"
#include "generate/model/save_bundle.h"
#include "generate/output/generate_files.h"
#include "models/config/run_config.h"
#include "models/network/device_check.h"
#include "runtime/base/counted.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/base/stop.h"
#include "runtime/command/command_line.h"
#include "runtime/command/compute_flags.h"
#include "runtime/command/flag_checks.h"
#include "runtime/command/launch_flags.h"
#include "runtime/command/log_flags.h"
#include "runtime/command/self_check_flag.h"
#include "runtime/command/share_flags.h"
#include "runtime/command/thread_flags.h"
#include "runtime/device/device.h"
#include "runtime/device/version.h"
#include "runtime/files/file.h"

#define FAMILY_NAME CONTINUO_FAMILY_NAME

ABSL_FLAG(bool, save_generator_bundle, false,
          "Write the model of --run_dir or --checkpoint_file to --bundle_file "
          "instead of generating");
ABSL_FLAG(std::string, bundle_description, "",
          "With --save_generator_bundle: a text to store in the bundle");
ABSL_FLAG(std::string, generator_id, "",
          "With --save_generator_bundle: the bundle's generator id, by default "
          "that of the configuration");
ABSL_FLAG(std::string, generator_description, "",
          "With --save_generator_bundle: the description of the generator, by "
          "default that of the configuration");
ABSL_FLAG(std::string, output_dir, "/tmp/" FAMILY_NAME "/generated",
          "Folder for the MIDI files; created if missing");
ABSL_FLAG(int32_t, num_outputs, 10, "MIDI files to write");
ABSL_FLAG(double, temperature, 1.0,
          "Below 1 the music becomes more predictable, above 1 more random");
ABSL_FLAG(int32_t, beam_size, 1,
          "Sequences kept during the search; the best one is written");
ABSL_FLAG(int32_t, branch_factor, 1,
          "Continuations tried for each kept sequence");
ABSL_FLAG(int32_t, steps_per_iteration, 1,
          "Steps between two prunings to the best sequences");

ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Same seed, same files, whatever --threads and --batch; by default a "
          "random one, which is printed and stored in the files");
ABSL_FLAG(int32_t, top_k, 0,
          "Draw only from the k most probable events; 0 = from all");
ABSL_FLAG(double, top_p, 1.0,
          "Draw only from the most probable events that together have this "
          "probability; 1 = from all");
ABSL_FLAG(std::string, report, "",
          "File for one JSON object per output: name, seed, log-likelihood; - "
          "is standard output");
CONTINUO_SELF_CHECK_FLAG(false);

namespace continuo {
namespace {

const std::vector<HelpGroup>& Groups() {
  static const auto& groups = *new std::vector<HelpGroup>{
      {"The model, one of",
       HelpLevel::kCommon,
       {"run_dir=FOLDER", "bundle_file=FILE.mag",
        "checkpoint_file=CHECKPOINT"}},
      {"Output",
       HelpLevel::kCommon,
       {"output_dir=FOLDER", "num_outputs", "num_steps=STEPS", "new_bars"}},
      {"Primer",
       HelpLevel::kCommon,
       {"primer_melody=LIST", "primer_drums=LIST", "primer_pitches=LIST",
        "primer_midi=FILE", "primer_instrument"}},
      {"Sampling",
       HelpLevel::kCommon,
       {"temperature", "top_p", "top_k", "qpm", "seed"}},
      {"Controls",
       HelpLevel::kCommon,
       {"notes_per_second=LIST", "pitch_class_histogram=LIST",
        "disable_conditioning=LIST", "control_file=FILE.json"}},
      {"Search",
       HelpLevel::kMore,
       {"beam_size", "branch_factor", "steps_per_iteration"}},
      {"Writing a bundle instead of music",
       HelpLevel::kMore,
       {"save_generator_bundle", "bundle_description=TEXT", "generator_id=TEXT",
        "generator_description=TEXT"}},
      {"Reports", HelpLevel::kMore, {"report=FILE", "log=LEVEL"}},
      {"Advanced",
       HelpLevel::kMore,
       {"threads", "batch", "config=NAME", "melody_encoder_decoder=NAME",
        "hparams=NAME=VALUE,...", "reading=standard|magenta"}},
  };
  return groups;
}

CommandHelp Help(const GenerateCommand& command) {
  const std::string name =
      absl::StrCat("  ", FamilyName(command.family), "_generate ");
  const std::string family(FamilyName(command.family));
  CommandHelp help = {
      .about = absl::StrCat(
          "Writes new music from a trained model as MIDI files.\n\n", name,
          "--run_dir=RUN --output_dir=OUT\n", name,
          "--run_dir=RUN --output_dir=OUT \\\n"
          "      --num_outputs=50 --temperature=0.9 --seed=7 \\\n      ",
          command.example_flags, "\n", name,
          "--bundle_file=model.mag \\\n      --primer_midi=scripts/primers/",
          family, "/primer.mid\n", name,
          "--run_dir=RUN --save_generator_bundle \\\n"
          "      --bundle_file=model.mag --bundle_description=\"Trained on "
          "reels\""
          "\n\n"
          "A model is a training run (--run_dir), one checkpoint "
          "(--checkpoint_file)\nor a bundle (--bundle_file). Files are named "
          "<date>_<time>_<number>.mid; the\nlog tells the log-likelihood of "
          "each. "
          "Ctrl-C ends the run after the outputs in\nprogress, a second one at "
          "once; finished files stay."),
      .own_file = "generate_main.cc",
      .groups = Groups(),
      .after =
          "Exit status: 0 when all is written; 1 for wrong flags, a model that "
          "cannot be\nread, or a failed write; 130 after Ctrl-C.",
      .see_also = {absl::StrCat(family, "_train"),
                   absl::StrCat(family, "_score"), "continuo_render",
                   "continuo_inspect"},
      .unused = {"rnn_backend"}};
  if (command.family == Family::kPerformance) {
    help.units = {{"num_steps", "steps of 10 ms: 3000 are 30 s"}};
  }
  return help;
}

absl::StatusOr<SearchOptions> SearchOfFlags() {
  const SearchOptions search{
      .sampling = {.temperature = absl::GetFlag(FLAGS_temperature),
                   .top_k = absl::GetFlag(FLAGS_top_k),
                   .top_p = absl::GetFlag(FLAGS_top_p)},
      .beam_size = absl::GetFlag(FLAGS_beam_size),
      .branch_factor = absl::GetFlag(FLAGS_branch_factor),
      .steps_per_iteration = absl::GetFlag(FLAGS_steps_per_iteration)};
  CONTINUO_RETURN_IF_ERROR(CheckSearchOptions(search));
  return search;
}

ModelSource SourceOfFlags(const GenerateCommand& command) {
  ModelSource source = ModelSourceOfFlags();
  command.add_config(&source);
  return source;
}

// The report in the place of a file that is read.
absl::Status CheckPaths(const std::string& report) {
  std::vector<FieldPath> inputs = ModelPathsOfFlags();
  for (const absl::string_view name : {"primer_midi", "control_file"}) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    if (flag == nullptr) continue;  // of another family
    inputs.push_back({std::string(name), ExpandHome(flag->CurrentValue())});
  }
  return CheckDistinctPaths({{"report", report}}, inputs);
}

absl::Status SaveBundleOfFlags(const GenerateCommand& command,
                               ThreadPool* pool) {
  const ModelSource source = SourceOfFlags(command);
  return SaveBundle(
      source,
      {.bundle_file = source.bundle_file,
       .bundle_description = absl::GetFlag(FLAGS_bundle_description),
       .generator_id = absl::GetFlag(FLAGS_generator_id),
       .generator_description = absl::GetFlag(FLAGS_generator_description)},
      command.family, {.device = {}, .pool = pool});
}

// The flags that describe a bundle do nothing to one that is only read.
void WarnOfUnusedFlags() {
  for (const auto& [name, value] :
       {std::pair("bundle_description",
                  absl::GetFlag(FLAGS_bundle_description)),
        {"generator_id", absl::GetFlag(FLAGS_generator_id)},
        {"generator_description",
         absl::GetFlag(FLAGS_generator_description)}}) {
    if (value.empty()) continue;
    LogWarn("--", name, " is ignored: it needs --save_generator_bundle");
  }
}

absl::Status Run(const GenerateCommand& command) {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                            OpenThreadsOfFlags());
  if (absl::GetFlag(FLAGS_save_generator_bundle)) {
    return SaveBundleOfFlags(command, pool.get());
  }
  WarnOfUnusedFlags();
  CONTINUO_RETURN_IF_ERROR(
      CheckAtLeast("num_outputs", absl::GetFlag(FLAGS_num_outputs), 1));
  GenerateFilesOptions options;
  CONTINUO_ASSIGN_OR_RETURN(options.batch_rows, BatchOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(options.search, SearchOfFlags());
  options.output_dir = ExpandHome(absl::GetFlag(FLAGS_output_dir));
  if (options.output_dir.empty()) {
    return absl::InvalidArgumentError(
        "--output_dir is empty; name a folder for the MIDI files");
  }
  options.report = ExpandHome(absl::GetFlag(FLAGS_report));
  CONTINUO_RETURN_IF_ERROR(CheckPaths(options.report));
  CONTINUO_ASSIGN_OR_RETURN(options.share, ShareOfFlags());
  if (!options.share.is_all() && !absl::GetFlag(FLAGS_seed).has_value()) {
    return absl::InvalidArgumentError(
        "--seed is required where several processes write the outputs: each "
        "has numbers of the same series");
  }
  options.seed = absl::GetFlag(FLAGS_seed).value_or(RandomSeed());
  CONTINUO_ASSIGN_OR_RETURN(
      const PreparedOutputs prepared,
      command.prepare({.seed = options.seed,
                       .num_outputs = absl::GetFlag(FLAGS_num_outputs),
                       .search = options.search}));

  CONTINUO_ASSIGN_OR_RETURN(const LaunchIdentity identity,
                            LaunchIdentityOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const OwnedStream owned,
                            OpenStreamOfFlags(pool.get(), identity));
  CONTINUO_ASSIGN_OR_RETURN(
      LoadedModel model,
      LoadModel(SourceOfFlags(command), command.family, owned.stream()));
  if (absl::GetFlag(FLAGS_self_check)) {
    CONTINUO_RETURN_IF_ERROR(CheckDevice(owned.stream(), model.rnn->spec()));
  }
  CONTINUO_ASSIGN_OR_RETURN(const Outputs outputs, prepared.make(&model));

  LogModel(model);
  LogInfo("Generating ",
          Counted(options.share.Count(static_cast<int64_t>(outputs.size())),
                  "output"),
          " of ", prepared.description, " on ", StreamName(owned.stream()),
          " with ", Counted(pool->num_threads(), "thread"), ": temperature ",
          options.search.sampling.temperature, ", beam_size ",
          options.search.beam_size, ", branch_factor ",
          options.search.branch_factor, ", steps_per_iteration ",
          options.search.steps_per_iteration, ", --seed=", options.seed);
  options.description = absl::StrCat(
      "continuo ", ProgramVersion(), " " FAMILY_NAME "_generate ",
      model.config.name, " temperature ", options.search.sampling.temperature,
      " --seed=", options.seed);
  SetStopMessage(
      "stopping after the outputs in progress; Ctrl-C again ends at once");
  const StopFlag& stop = StopOnSignals();
  return GenerateFiles(model, outputs, options,
                       [&stop] { return stop.load(); });
}

}  // namespace

int GenerateMain(int argc, char** argv, const GenerateCommand& command) {
  return RunCommand(argc, argv, Help(command),
                    [&command] { return Run(command); });
}

}  // namespace continuo
