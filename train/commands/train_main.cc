// SPDX-License-Identifier: Apache-2.0

#include "train/commands/train_main.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "generate/output/training_preview.h"
#include "generate/pictures/canvas.h"
#include "runtime/base/log.h"
#include "runtime/base/log_rewriter.h"
#include "runtime/base/status.h"
#include "runtime/base/stop.h"
#include "runtime/base/threads.h"
#include "runtime/collective/collective.h"
#include "runtime/collective/launch_identity.h"
#include "runtime/command/collective_flags.h"
#include "runtime/command/command_line.h"
#include "runtime/command/compute_flags.h"
#include "runtime/command/flag_checks.h"
#include "runtime/command/launch_flags.h"
#include "runtime/command/log_flags.h"
#include "runtime/command/self_check_flag.h"
#include "runtime/command/thread_flags.h"
#include "runtime/device/device.h"
#include "runtime/files/file.h"
#include "train/loop/evaluator.h"
#include "train/loop/trainer.h"

ABSL_FLAG(std::string, run_dir, "/tmp/" CONTINUO_FAMILY_NAME "/logdir/run1",
          "Folder of the run: train/ and eval/ below it hold checkpoints, "
          "TensorBoard events and log.jsonl. A run that is there is resumed.");
ABSL_FLAG(std::string, sequence_example_file, "",
          "TFRecord file of examples (of either --format of create_dataset) to "
          "train on or to evaluate, a pattern of several ('set.tfrecord-*'), "
          "set.tfrecord@64 for a set of 64 shards, or a list of these with "
          "commas. Required.");
ABSL_FLAG(std::string, hparams, "",
          "Hyperparameters that differ from the configuration's, as "
          "name=value,name=[value,value]: batch_size, rnn_layer_sizes, "
          "dropout_keep_prob, attn_length, clip_norm (may be fractional), "
          "learning_rate, residual_connections, attention_around_stack "
          "(attention as in TensorFlow 0.x), cell (lstm or gru; gru without "
          "attention). A resumed run keeps its own unless others are given.");
ABSL_FLAG(std::string, warm_start_bundle_file, "",
          "Bundle (.mag), checkpoint (model.ckpt-1000 or a folder), run folder "
          "or safetensors file whose weights a new run starts with. "
          "Configuration and hyperparameters are taken from it unless others "
          "are given; a different network is an error. Step and optimizer are "
          "reset; the log lists the tensors that were loaded. Ignored when a "
          "run is resumed.");
ABSL_FLAG(int64_t, num_training_steps, 0,
          "Global step to stop at, counting the steps of earlier invocations; "
          "0 trains until stopped.");
ABSL_FLAG(int64_t, summary_frequency, 10,
          "Steps between log lines and summaries; the first step has one too.");
ABSL_FLAG(int, num_checkpoints, 10,
          "Newest checkpoints to keep (besides one per hour); 0 keeps all.");
ABSL_FLAG(int64_t, save_checkpoint_steps, 0,
          "Also save a checkpoint every N steps; 0 disables.");
ABSL_FLAG(double, save_checkpoint_secs,
          absl::ToDoubleSeconds(continuo::TrainOptions().save_interval),
          "Seconds between checkpoints; one is always saved at the start and "
          "at the end.");
ABSL_FLAG(double, max_training_seconds, 0,
          "Stop after this many seconds and save the state; 0 is no limit.");
ABSL_FLAG(std::optional<int>, micro_batches, std::nullopt,
          "Micro-batches that each batch is cut into, to be computed one after "
          "another, or by several processes, and added in one order: memory is "
          "that of one of them, and the bits depend on their number alone. By "
          "default the number of processes, rounded up to a power of two; a "
          "resumed run keeps its own.");
ABSL_FLAG(std::string, reduction, "exact",
          "How several processes add gradients: exact (the same bits with any "
          "number of processes) or nccl (by the library's all-reduce, in its "
          "order).");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Seed of initial weights, shuffling and dropout. By default a random "
          "one, which is printed and stored; a resumed run keeps its own.");
ABSL_FLAG(int64_t, eval_every_steps, 0,
          "Evaluate every N steps during training, on "
          "--eval_sequence_example_file; results go to eval/, as with --eval. "
          "0 disables.");
ABSL_FLAG(
    std::string, eval_sequence_example_file, "",
    "With --eval_every_steps: TFRecord files of examples to evaluate, named as "
    "for --sequence_example_file.");
ABSL_FLAG(bool, keep_best, false,
          "With --eval_every_steps: keep the checkpoint of the lowest "
          "evaluation loss in best/ (for generation: "
          "--checkpoint_file=RUN_DIR/best).");
ABSL_FLAG(int64_t, early_stopping_evals, 0,
          "With --eval_every_steps: stop after N evaluations in a row without "
          "a lower loss; 0 disables.");
ABSL_FLAG(int64_t, sample_every_steps, 0,
          "Generate four pieces every N steps and show them as piano rolls "
          "under TensorBoard's images; 0 disables. Does not affect training.");
ABSL_FLAG(bool, tf1_tags, false,
          "Also write the gauges of TensorFlow 1's input queues to the "
          "TensorBoard events, for scripts that look for Magenta's tags.");
ABSL_FLAG(bool, eval, false,
          "Evaluate the checkpoints of --run_dir as they appear instead of "
          "training. Polls every second and ends when no new one has appeared "
          "for --eval_timeout_secs (with an error if there never was one). "
          "Training flags such as --num_training_steps have no effect then.");
ABSL_FLAG(bool, eval_once, false,
          "With --eval: evaluate the newest checkpoint and end; an error if "
          "there is none.");
ABSL_FLAG(
    bool, eval_dropout, false,
    "With --eval: keep dropout on, as Magenta does. By default it is off, "
    "so that the loss is that of the network as it generates.");
ABSL_FLAG(int64_t, num_eval_examples, 0,
          "With --eval or --eval_every_steps: evaluate the first N examples; 0 "
          "evaluates all.");
ABSL_FLAG(double, eval_interval_secs,
          absl::ToDoubleSeconds(continuo::EvalOptions().interval),
          "With --eval: minimum seconds between the starts of evaluations.");
ABSL_FLAG(double, eval_timeout_secs, 300,
          "With --eval: end after this many seconds without a new checkpoint.");
CONTINUO_SELF_CHECK_FLAG(true);

namespace continuo {
namespace {

constexpr char kAbout[] =
    "Checkpoints are in TensorFlow's format (train/model.ckpt-N), saved at "
    "the\n"
    "start, every --save_checkpoint_secs and at the end. Starting the command\n"
    "again with the same --run_dir resumes from the last one, as if it had\n"
    "never stopped. Ctrl-C, SIGTERM and SIGUSR1 save a checkpoint first; a\n"
    "second one ends at once.\n"
    "The loss is shown in bits per event beside that of the best guess\n"
    "without context (unigram). If it stays above four times that, training\n"
    "ends and the diverged state is not saved.";

constexpr char kAfter[] =
    "Exit status: 0 when the work is done, and after such a signal once the\n"
    "state is saved; 1 for wrong flags, unreadable or unsuitable data\n"
    "(also data that change during the training: the state is saved), a\n"
    "failed write, a diverged training (earlier checkpoints are kept), an\n"
    "evaluation for which no checkpoint ever appeared, or another process of\n"
    "the training that has failed or is silent.";

const std::vector<HelpGroup>& Groups() {
  static const auto& groups = *new std::vector<HelpGroup>{
      {"Required", HelpLevel::kRequired, {"sequence_example_file=FILES"}},
      {"Model and folder",
       HelpLevel::kCommon,
       {"run_dir=FOLDER", "config=NAME", "hparams=NAME=VALUE,...",
        "warm_start_bundle_file=MODEL"}},
      {"Duration",
       HelpLevel::kCommon,
       {"num_training_steps=STEPS", "max_training_seconds=SECONDS"}},
      {"Evaluation during training",
       HelpLevel::kMore,
       {"eval_every_steps=STEPS", "eval_sequence_example_file=FILES",
        "keep_best", "early_stopping_evals", "sample_every_steps=STEPS"}},
      {"Separate evaluation, during or after training",
       HelpLevel::kMore,
       {"eval", "eval_once", "eval_interval_secs=SECONDS",
        "eval_timeout_secs=SECONDS", "num_eval_examples", "eval_dropout"}},
      {"Checkpoints",
       HelpLevel::kMore,
       {"save_checkpoint_secs=SECONDS", "save_checkpoint_steps=STEPS",
        "num_checkpoints"}},
      {"Logs",
       HelpLevel::kMore,
       {"log=LEVEL", "summary_frequency=STEPS", "tf1_tags"}},
      {"Advanced",
       HelpLevel::kMore,
       {"seed", "threads", "micro_batches=COUNT", "reduction=exact|nccl",
        "melody_encoder_decoder=NAME", "generator_id=TEXT",
        "generator_description=TEXT"}},
  };
  return groups;
}

CommandHelp Help(const TrainCommand& command) {
  const std::string train =
      absl::StrCat("  ", FamilyName(command.family), "_train ");
  const std::string data = "      --sequence_example_file=/tmp/data/";
  return {
      .about = absl::StrCat(
          "Trains a recurrent network on a data set, or evaluates one.\n\n",
          train, "--config=", command.example_config,
          " --run_dir=/tmp/run \\\n", data, "training_", command.outputs_name,
          ".tfrecord\n", train, "--eval --run_dir=/tmp/run \\\n", data, "eval_",
          command.outputs_name, ".tfrecord\n", train,
          "--run_dir=/tmp/tuned \\\n"
          "      --warm_start_bundle_file=model.mag \\\n",
          data, "training_", command.outputs_name, ".tfrecord\n", train,
          "--run_dir=/tmp/run --eval_every_steps=500 \\\n"
          "      --keep_best --early_stopping_evals=5 \\\n",
          data, "training_", command.outputs_name,
          ".tfrecord \\\n      --eval_sequence_example_file=/tmp/data/eval_",
          command.outputs_name, ".tfrecord\n\n", kAbout),
      .own_file = "train_main.cc",
      .groups = Groups(),
      .after = kAfter,
      .see_also = {absl::StrCat(FamilyName(command.family), "_create_dataset"),
                   absl::StrCat(FamilyName(command.family), "_generate"),
                   "continuo_inspect"}};
}

// Flags that have a meaning only beside others.
absl::Status CheckEvalFlags() {
  const bool eval = absl::GetFlag(FLAGS_eval);
  const int64_t every = absl::GetFlag(FLAGS_eval_every_steps);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("eval_every_steps", every, 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "early_stopping_evals", absl::GetFlag(FLAGS_early_stopping_evals), 0));
  struct Rule {
    const char* name;
    bool given;
    bool allowed;
    const char* remedy;
  };
  const bool data = !absl::GetFlag(FLAGS_eval_sequence_example_file).empty();
  constexpr char kAddEval[] = "is for evaluation: add --eval or leave it out";
  constexpr char kAddEvery[] =
      "is for evaluation while training: add --eval_every_steps=N or leave it "
      "out";
  for (const Rule& rule : {
           Rule{"eval_once", absl::GetFlag(FLAGS_eval_once), eval, kAddEval},
           {"eval_dropout", absl::GetFlag(FLAGS_eval_dropout), eval, kAddEval},
           {"num_eval_examples", absl::GetFlag(FLAGS_num_eval_examples) > 0,
            eval || every > 0,
            "is for evaluation: add --eval or --eval_every_steps=N, or leave "
            "it out"},
           {"eval_every_steps", every > 0, !eval,
            "is for training: leave out --eval, which evaluates only"},
           {"eval_every_steps", every > 0, data,
            "needs --eval_sequence_example_file, the data to evaluate"},
           {"eval_sequence_example_file", data, every > 0, kAddEvery},
           {"keep_best", absl::GetFlag(FLAGS_keep_best), every > 0, kAddEvery},
           {"early_stopping_evals",
            absl::GetFlag(FLAGS_early_stopping_evals) > 0, every > 0,
            kAddEvery},
       }) {
    if (rule.given && !rule.allowed) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", rule.name, " ", rule.remedy));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFlags() {
  if (absl::GetFlag(FLAGS_run_dir).empty()) {
    return absl::InvalidArgumentError(
        "--run_dir is empty: give the folder of the run");
  }
  if (absl::GetFlag(FLAGS_sequence_example_file).empty()) {
    return absl::InvalidArgumentError(
        "--sequence_example_file is missing: give the TFRecord file that the "
        "create_dataset command has written");
  }
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "num_training_steps", absl::GetFlag(FLAGS_num_training_steps), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "summary_frequency", absl::GetFlag(FLAGS_summary_frequency), 1));
  CONTINUO_RETURN_IF_ERROR(
      CheckAtLeast("num_checkpoints", absl::GetFlag(FLAGS_num_checkpoints), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "save_checkpoint_steps", absl::GetFlag(FLAGS_save_checkpoint_steps), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "save_checkpoint_secs", absl::GetFlag(FLAGS_save_checkpoint_secs), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "max_training_seconds", absl::GetFlag(FLAGS_max_training_seconds), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "sample_every_steps", absl::GetFlag(FLAGS_sample_every_steps), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "num_eval_examples", absl::GetFlag(FLAGS_num_eval_examples), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "eval_interval_secs", absl::GetFlag(FLAGS_eval_interval_secs), 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast(
      "eval_timeout_secs", absl::GetFlag(FLAGS_eval_timeout_secs), 0));
  return CheckEvalFlags();
}

RequestedModel GetModelFlags(const TrainCommand& command) {
  RequestedModel flags = command.model_flags();
  flags.hparams = absl::GetFlag(FLAGS_hparams);
  return flags;
}

absl::StatusOr<std::vector<SummaryImage>> SamplePictures(
    const EventRnn& rnn, const ModelConfig& config, uint64_t seed,
    const StopFlag& stop) {
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<Canvas> canvases,
      RenderPreviews(rnn, config, seed, [&stop] { return stop.load(); }));
  std::vector<SummaryImage> images;
  for (const Canvas& canvas : canvases) {
    images.push_back({.width = canvas.width(), .height = canvas.height()});
    CONTINUO_ASSIGN_OR_RETURN(images.back().png, canvas.EncodePng());
  }
  return images;
}

// The command as a shell would take it again.
std::string CommandLine(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain =
        !word.empty() &&
        word.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
            "-_=+,./:@%") == std::string::npos;
    absl::StrAppend(
        &line, i == 0 ? "" : " ",
        plain ? word
              : absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}),
                             "'"));
  }
  return line;
}

absl::StatusOr<Reduction> ReductionOfFlags() {
  const std::string name = absl::GetFlag(FLAGS_reduction);
  if (name == "exact") return Reduction::kExact;
  if (name == "nccl") return Reduction::kLibrary;
  return absl::InvalidArgumentError(
      absl::StrCat("--reduction=", name, ": expected exact or nccl"));
}

absl::StatusOr<TrainOptions> GetTrainOptions(const TrainCommand& command,
                                             const std::string& command_line) {
  const double max_seconds = absl::GetFlag(FLAGS_max_training_seconds);
  CONTINUO_ASSIGN_OR_RETURN(const Reduction reduction, ReductionOfFlags());
  return TrainOptions{
      .run_dir = ExpandHome(absl::GetFlag(FLAGS_run_dir)),
      .sequence_example_file = absl::GetFlag(FLAGS_sequence_example_file),
      .family = command.family,
      .model = GetModelFlags(command),
      .warm_start_bundle_file =
          ExpandHome(absl::GetFlag(FLAGS_warm_start_bundle_file)),
      .seed = absl::GetFlag(FLAGS_seed),
      .num_training_steps = absl::GetFlag(FLAGS_num_training_steps),
      .summary_frequency = absl::GetFlag(FLAGS_summary_frequency),
      .num_checkpoints = absl::GetFlag(FLAGS_num_checkpoints),
      .save_interval = absl::Seconds(absl::GetFlag(FLAGS_save_checkpoint_secs)),
      .save_steps = absl::GetFlag(FLAGS_save_checkpoint_steps),
      .max_time = max_seconds > 0 ? absl::Seconds(max_seconds)
                                  : absl::InfiniteDuration(),
      .micro_batches = absl::GetFlag(FLAGS_micro_batches),
      .reduction = reduction,
      .eval = {.every_steps = absl::GetFlag(FLAGS_eval_every_steps),
               .sequence_example_file =
                   absl::GetFlag(FLAGS_eval_sequence_example_file),
               .num_examples = absl::GetFlag(FLAGS_num_eval_examples),
               .keep_best = absl::GetFlag(FLAGS_keep_best),
               .early_stopping_evals =
                   absl::GetFlag(FLAGS_early_stopping_evals)},
      .sample_every_steps = absl::GetFlag(FLAGS_sample_every_steps),
      .sample = SamplePictures,
      .self_check = absl::GetFlag(FLAGS_self_check),
      .tf1_tags = absl::GetFlag(FLAGS_tf1_tags),
      .command_line = command_line};
}

EvalOptions GetEvalOptions(const TrainCommand& command,
                           const std::string& command_line) {
  return {.run_dir = ExpandHome(absl::GetFlag(FLAGS_run_dir)),
          .sequence_example_file = absl::GetFlag(FLAGS_sequence_example_file),
          .family = command.family,
          .model = GetModelFlags(command),
          .num_eval_examples = absl::GetFlag(FLAGS_num_eval_examples),
          .dropout = absl::GetFlag(FLAGS_eval_dropout),
          .once = absl::GetFlag(FLAGS_eval_once),
          .interval = absl::Seconds(absl::GetFlag(FLAGS_eval_interval_secs)),
          .timeout = absl::Seconds(absl::GetFlag(FLAGS_eval_timeout_secs)),
          .command_line = command_line};
}

// Of several processes the first one shows what all do, the others what
// happens to them.
absl::Status SetLogOfRank(const LaunchIdentity& identity) {
  if (identity.size == 1) return absl::OkStatus();
  SetLogName(absl::StrCat("rank ", identity.rank));
  if (identity.rank == 0 || absl::GetFlag(FLAGS_log) != "INFO") {
    return absl::OkStatus();
  }
  return SetLogLevel("WARN");
}

absl::Status Run(const TrainCommand& command, const std::string& command_line) {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  CONTINUO_RETURN_IF_ERROR(CheckFlags());
  CONTINUO_ASSIGN_OR_RETURN(const LaunchIdentity identity,
                            LaunchIdentityOfFlags());
  CONTINUO_RETURN_IF_ERROR(SetLogOfRank(identity));
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                            OpenThreadsOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const OwnedStream owned,
                            OpenStreamOfFlags(pool.get(), identity));
  const Stream& stream = owned.stream();
  const StopFlag& stop = StopOnSignals();
  if (absl::GetFlag(FLAGS_eval)) {
    if (identity.size > 1) {
      return absl::InvalidArgumentError(
          "--eval is the work of one process: add --world_size=1");
    }
    return FollowCheckpoints(GetEvalOptions(command, command_line), stream,
                             stop);
  }
  CONTINUO_ASSIGN_OR_RETURN(TrainOptions options,
                            GetTrainOptions(command, command_line));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::unique_ptr<Collective> collective,
      MakeCollectiveOfFlags(identity, stream, options.run_dir));
  options.collective = collective.get();
  options.rank_logs = true;
  return Train(options, stream, stop).status();
}

}  // namespace

int TrainMain(int argc, char** argv, const TrainCommand& command) {
  const std::string command_line = CommandLine(argc, argv);
  return RunCommand(argc, argv, Help(command),
                    [&] { return Run(command, command_line); });
}

}  // namespace continuo
