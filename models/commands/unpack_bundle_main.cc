// SPDX-License-Identifier: Apache-2.0

// unpack_bundle: the checkpoint and the meta graph of a bundle as files.

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "models/checkpoint/bundle.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, bundle_path, "", "The bundle (.mag) to unpack");
ABSL_FLAG(std::string, checkpoint_path, "/tmp/model.ckpt",
          "File for the bundle's checkpoint; its meta graph is written beside "
          "it with .meta added to the name");

namespace continuo {
namespace {

constexpr char kAbout[] =
    "Writes the checkpoint of a bundle and its meta graph as files.\n"
    "\n"
    "  unpack_bundle --bundle_path=model.mag --checkpoint_path=model.ckpt\n"
    "\n"
    "The checkpoint can be generated from with --checkpoint_file, and "
    "TensorFlow\nreads both.";

CommandHelp Help() {
  return {.about = kAbout,
          .own_file = "models/commands/unpack_bundle_main.cc",
          .groups = {{"Required",
                      HelpLevel::kRequired,
                      {"bundle_path=FILE.mag", "checkpoint_path=FILE"}},
                     {"What is said", HelpLevel::kCommon, {"log=LEVEL"}}},
          .after = "Exit status: 0 when both files are written; 1 otherwise."};
}

absl::Status Run() {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  const std::string bundle = ExpandHome(absl::GetFlag(FLAGS_bundle_path));
  const std::string checkpoint =
      ExpandHome(absl::GetFlag(FLAGS_checkpoint_path));
  if (bundle.empty()) {
    return absl::InvalidArgumentError(
        "no bundle is given; use --bundle_path=FILE.mag");
  }
  if (checkpoint.empty()) {
    return absl::InvalidArgumentError(
        "--checkpoint_path is empty; name a file for the checkpoint");
  }
  if (checkpoint == kStandardStream) {
    return absl::InvalidArgumentError(
        "--checkpoint_path=- is standard output, but two files are written; "
        "name a file for the checkpoint");
  }
  const std::string metagraph = absl::StrCat(checkpoint, ".meta");
  CONTINUO_RETURN_IF_ERROR(CheckDistinctPaths(
      {{"checkpoint_path", checkpoint}, {"checkpoint_path", metagraph}},
      {{"bundle_path", bundle}}));
  CONTINUO_ASSIGN_OR_RETURN(const BundleFiles files, ReadBundleFiles(bundle));
  CONTINUO_ASSIGN_OR_RETURN(const auto metagraph_file,
                            AtomicFile::Create(metagraph));
  CONTINUO_RETURN_IF_ERROR(metagraph_file->Append(files.metagraph));
  CONTINUO_ASSIGN_OR_RETURN(const auto checkpoint_file,
                            AtomicFile::Create(checkpoint));
  CONTINUO_RETURN_IF_ERROR(checkpoint_file->Append(files.checkpoint));
  CONTINUO_RETURN_IF_ERROR(AtomicFile::CommitTogether(
      {metagraph_file.get(), checkpoint_file.get()}));
  LogInfo("Wrote ", checkpoint, " and ", metagraph);
  return absl::OkStatus();
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::RunCommand(argc, argv, continuo::Help(), continuo::Run);
}
