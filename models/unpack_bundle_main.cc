// unpack_bundle: the checkpoint and the meta graph of a bundle as files.

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "models/bundle.h"
#include "runtime/command_line.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/status.h"

ABSL_FLAG(std::string, bundle_path, "", "The bundle (.mag) to unpack");
ABSL_FLAG(std::string, checkpoint_path, "/tmp/model.ckpt",
          "File for the bundle's checkpoint; its meta graph is written beside "
          "it with .meta added to the name");

namespace continuo {
namespace {

constexpr char kUsage[] =
    "Writes the checkpoint of a bundle and its meta graph as files.\n"
    "\n"
    "  unpack_bundle --bundle_path=model.mag --checkpoint_path=model.ckpt\n"
    "\n"
    "The checkpoint can be generated from with --checkpoint_file, and "
    "TensorFlow\nreads both.";

absl::Status Run() {
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
  CONTINUO_ASSIGN_OR_RETURN(const BundleFiles files, ReadBundleFiles(bundle));
  const std::string metagraph = absl::StrCat(checkpoint, ".meta");
  CONTINUO_RETURN_IF_ERROR(WriteFileAtomically(metagraph, files.metagraph));
  CONTINUO_RETURN_IF_ERROR(WriteFileAtomically(checkpoint, files.checkpoint));
  LogInfo("Wrote ", checkpoint, " and ", metagraph);
  return absl::OkStatus();
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  continuo::ParseFlags(argc, argv, continuo::kUsage,
                       "models/unpack_bundle_main.cc");
  const absl::Status status = continuo::Run();
  if (status.ok()) return 0;
  continuo::LogError(status.message());
  return 1;
}
