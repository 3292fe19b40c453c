// SPDX-License-Identifier: Apache-2.0

// convert_dataset: data sets from SequenceExamples to compact records and back.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "data/events/dataset/convert_dataset.h"
#include "data/records/shards.h"
#include "models/config/config.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/stop.h"
#include "runtime/base/threads.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/command/thread_flags.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, input, "",
          "TFRecord file of training examples, a pattern that matches several "
          "(quote it: --input='data/*.tfrecord'), set.tfrecord@8 for a set of "
          "8 shards, or a list of these with commas. Required.");
ABSL_FLAG(std::string, output_dir, "",
          "Folder for files of the same names; created if missing. Required.");
ABSL_FLAG(std::string, format, "compact",
          "What to write: \"compact\", or \"magenta\" for SequenceExamples.");
ABSL_FLAG(std::string, config, "",
          "Configuration that the examples were created with, of any family. "
          "SequenceExamples do not say; compact records do.");

namespace continuo {
namespace {

constexpr char kAbout[] =
    R"(Converts data sets between the two forms that *_create_dataset writes.

  convert_dataset --format=compact --config=attention_rnn \
      --input='data/*.tfrecord' --output_dir=compact
  convert_dataset --format=magenta --input='compact/*.tfrecord' \
      --output_dir=data

Compact records hold the labels and control values of an example; inputs are
made of them when they are read. Training, evaluation and scoring read both and
give the same numbers, bit for bit; Magenta reads SequenceExamples
(--format=magenta) only. Each example is checked: one whose inputs do not follow
from its labels in this configuration is an error.)";

CommandHelp Help() {
  return {.about = kAbout,
          .own_file = "data/commands/convert_dataset_main.cc",
          .groups = {{"Required",
                      HelpLevel::kRequired,
                      {"input=FILES", "output_dir=FOLDER"}},
                     {"What is made",
                      HelpLevel::kCommon,
                      {"format=compact|magenta", "config=NAME"}},
                     {"Advanced", HelpLevel::kMore, {"threads", "log=LEVEL"}}},
          .after =
              "Exit status: 0 if all was converted; 1 for wrong flags, damaged "
              "or other input,\nor a failed write; 130 after Ctrl-C. Except "
              "for 0 no file appears.",
          .see_also = {"melody_rnn_create_dataset", "melody_rnn_train",
                       "continuo_inspect"}};
}

absl::StatusOr<EncodingSpec> EncodingOfConfig(const std::string& name) {
  std::vector<std::string> names;
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(family)) {
      if (config.name == name) return config.encoding;
      names.push_back(config.name);
    }
  }
  return absl::NotFoundError(
      absl::StrCat("--config=", name, ": no such configuration; use one of ",
                   absl::StrJoin(names, ", ")));
}

absl::StatusOr<ConvertDatasetOptions> OptionsFromFlags() {
  ConvertDatasetOptions options;
  if (absl::GetFlag(FLAGS_input).empty()) {
    return absl::InvalidArgumentError(
        "--input is required: files of training examples");
  }
  if (absl::GetFlag(FLAGS_output_dir).empty()) {
    return absl::InvalidArgumentError(
        "--output_dir is required: the folder for the converted files");
  }
  auto inputs = ShardFiles(absl::GetFlag(FLAGS_input));
  if (!inputs.ok()) return Annotate(inputs.status(), "--input");
  options.inputs = *std::move(inputs);
  options.output_dir = ExpandHome(absl::GetFlag(FLAGS_output_dir));
  CONTINUO_ASSIGN_OR_RETURN(options.format,
                            DatasetFormatByName(absl::GetFlag(FLAGS_format)));
  if (const std::string name = absl::GetFlag(FLAGS_config); !name.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(options.encoding, EncodingOfConfig(name));
    options.config = absl::StrCat("--config=", name);
  }
  options.stop = &StopOnSignals();
  return options;
}

absl::Status Run() {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const ConvertDatasetOptions options,
                            OptionsFromFlags());
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                            OpenThreadsOfFlags());
  ConvertDatasetSummary summary;
  CONTINUO_RETURN_IF_ERROR(ConvertDataset(options, pool.get(), &summary));
  LogInfo(absl::StrFormat(
              "Converted %d examples, %.1f MB to %.1f MB: ", summary.examples,
              1e-6 * summary.bytes_read, 1e-6 * summary.bytes_written),
          absl::StrJoin(summary.files, ", "));
  return absl::OkStatus();
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::RunCommand(argc, argv, continuo::Help(), continuo::Run);
}
