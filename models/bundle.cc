#include "models/bundle.h"

#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/proto/generator.pb.h"
#include "runtime/file.h"
#include "runtime/status.h"

namespace continuo {

absl::StatusOr<Bundle> ParseBundle(absl::string_view bytes,
                                   absl::string_view name) {
  tensorflow::magenta::GeneratorBundle message;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not a generator bundle (.mag file)"));
  }
  if (message.checkpoint_file_size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": not a generator bundle: holds ",
        message.checkpoint_file_size(), " checkpoints, expected one"));
  }
  Bundle bundle;
  bundle.id = message.generator_details().id();
  bundle.description = message.generator_details().description();
  bundle.bundle_description = message.bundle_details().description();
  CONTINUO_ASSIGN_OR_RETURN(
      bundle.tensors, ReadCheckpointV1(message.checkpoint_file(0),
                                       absl::StrCat(name, ": checkpoint")));
  bundle.metagraph = std::move(*message.mutable_metagraph_file());
  return bundle;
}

absl::StatusOr<Bundle> ReadBundle(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  return ParseBundle(file->bytes(), path);
}

}  // namespace continuo
