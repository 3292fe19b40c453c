// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/bundle.h"

#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/proto/generator.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorBundle;

// The field crc32c: two bytes of tag, four of checksum. It comes first, so that
// a file cut short still has it.
constexpr size_t kChecksumBytes = 6;

absl::StatusOr<GeneratorBundle> ParseMessage(absl::string_view bytes,
                                             absl::string_view name) {
  GeneratorBundle message;
  // The format has not grown since its publication: a field that is unknown is
  // damage, or another kind of file.
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !message.GetReflection()->GetUnknownFields(message).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not a generator bundle (.mag file), or damaged"));
  }
  if (message.checkpoint_file_size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": not a generator bundle: holds ",
        message.checkpoint_file_size(), " checkpoints, expected one"));
  }
  if (message.has_crc32c()) {
    if (MaskedCrc32c(bytes.substr(kChecksumBytes)) != message.crc32c()) {
      return absl::DataLossError(
          absl::StrCat(name, ": damaged bundle: wrong checksum of the file"));
    }
  }
  return message;
}

}  // namespace

absl::StatusOr<Bundle> ParseBundle(absl::string_view bytes,
                                   absl::string_view name) {
  CONTINUO_ASSIGN_OR_RETURN(GeneratorBundle message, ParseMessage(bytes, name));
  Bundle bundle;
  bundle.id = message.generator_details().id();
  bundle.description = message.generator_details().description();
  bundle.bundle_description = message.bundle_details().description();
  CONTINUO_ASSIGN_OR_RETURN(
      bundle.tensors, ReadCheckpointV1(message.checkpoint_file(0),
                                       absl::StrCat(name, ": checkpoint")));
  bundle.metagraph = std::move(*message.mutable_metagraph_file());
  for (const GeneratorBundle::FirstEvent& first : message.first_events()) {
    bundle.first_events[first.event()] = first.count();
  }
  return bundle;
}

absl::StatusOr<Bundle> ReadBundle(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  const FileWatch watch(path, file->bytes());
  return watch.IfUnchanged(ParseBundle(file->bytes(), path));
}

std::string BuildBundle(const Bundle& bundle) {
  GeneratorBundle message;
  message.mutable_generator_details()->set_id(bundle.id);
  message.mutable_generator_details()->set_description(bundle.description);
  message.add_checkpoint_file(BuildCheckpointV1(bundle.tensors));
  message.set_metagraph_file(bundle.metagraph);
  if (!bundle.bundle_description.empty()) {
    message.mutable_bundle_details()->set_description(
        bundle.bundle_description);
  }
  for (const auto& [event, count] : bundle.first_events) {
    GeneratorBundle::FirstEvent* first = message.add_first_events();
    first->set_event(event);
    first->set_count(count);
  }
  const std::string bytes = message.SerializeAsString();
  GeneratorBundle checksum;
  checksum.set_crc32c(MaskedCrc32c(bytes));
  return absl::StrCat(checksum.SerializeAsString(), bytes);
}

absl::Status WriteBundle(const std::string& path, const Bundle& bundle) {
  return WriteFileAtomically(path, BuildBundle(bundle));
}

absl::StatusOr<BundleFiles> ReadBundleFiles(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  const FileWatch watch(path, file->bytes());
  CONTINUO_ASSIGN_OR_RETURN(
      GeneratorBundle message,
      watch.IfUnchanged(ParseMessage(file->bytes(), path)));
  CONTINUO_RETURN_IF_ERROR(ReadCheckpointV1(message.checkpoint_file(0),
                                            absl::StrCat(path, ": checkpoint"))
                               .status());
  return BundleFiles{
      .checkpoint = std::move(*message.mutable_checkpoint_file(0)),
      .metagraph = std::move(*message.mutable_metagraph_file())};
}

}  // namespace continuo
