// SPDX-License-Identifier: Apache-2.0

// continuo_inspect: what files hold.

#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "generate/inspection/inspect.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/files/file.h"

ABSL_FLAG(bool, tensors, false,
          "List the tensors of a model, one on a line; --json always does");
ABSL_FLAG(bool, json, false, "One JSON object per file, each on one line");
ABSL_FLAG(continuo::Reading, reading, continuo::Reading::kStandard,
          "How music files are read where their format's standard and Magenta "
          "disagree: standard, or magenta");

namespace continuo {
namespace {

constexpr char kAbout[] =
    R"(Shows the contents of files of any kind that these commands read or write.

  continuo_inspect run run/train/model.ckpt-1000 model.mag
  continuo_inspect --json data/training_melodies.tfrecord

Checkpoints, bundles and safetensors files: the configuration and every tensor
with its shape and range. Run folders: their newest checkpoint, all others, the
event files. TFRecords: number and size of the records, the labels, the first
few. Event files: every tag with its steps and last value. Music: notes, tempos
and instruments. Everything is read and checked to the end of the file.)";

CommandHelp Help() {
  return {.about = kAbout,
          .own_file = "generate/commands/inspect_main.cc",
          .groups = {{"What is shown",
                      HelpLevel::kCommon,
                      {"tensors", "json", "reading=standard|magenta",
                       "log=LEVEL"}}},
          .after =
              "Exit status: 0 if all files are intact; 1 otherwise, with the "
              "offset or the\ntensor named (the other files are shown all the "
              "same)."};
}

// The number of files that are not intact.
absl::StatusOr<int> Run(const std::vector<std::string>& files) {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  if (files.empty()) {
    return absl::InvalidArgumentError(
        "no file is given: continuo_inspect FILE...");
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> output,
                            AtomicFile::Create(std::string(kStandardStream)));
  int failures = 0;
  bool first = true;
  for (const std::string& file : files) {
    absl::StatusOr<Facts> facts =
        Inspect(ExpandHome(file), {.reading = absl::GetFlag(FLAGS_reading)});
    if (!facts.ok()) {
      LogError(facts.status().message());
      ++failures;
      continue;
    }
    std::string text;
    if (absl::GetFlag(FLAGS_json)) {
      text = absl::StrCat(JsonText(*facts), "\n");
    } else {
      if (facts->contains("tensors") && !absl::GetFlag(FLAGS_tensors)) {
        (*facts)["tensors"] =
            absl::StrCat((*facts)["tensors"].size(), " (--tensors lists them)");
      }
      text = absl::StrCat(first ? "" : "\n",
                          FactsToText(*facts, " (--json shows all)"));
    }
    first = false;
    CONTINUO_RETURN_IF_ERROR(output->Append(text));
  }
  CONTINUO_RETURN_IF_ERROR(output->Commit());
  return failures;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<int> failures =
      Run(ParseFlagsAndWords(argc, argv, Help()));
  if (!failures.ok()) LogError(failures.status().message());
  return failures.ok() && *failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) { return continuo::Main(argc, argv); }
