// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/checkpoint.h"

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "data/proto/checkpoint.pb.h"
#include "models/checkpoint/checkpoint_tensor.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/sstable.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {
namespace {

// Tensors lie in the data files as the little-endian bytes of memory.
static_assert(std::endian::native == std::endian::little);

// A network has a few hundred tensors of some hundred bytes each.
constexpr int64_t kMaxIndexBytes = int64_t{1} << 26;

std::string IndexName(absl::string_view prefix) {
  return absl::StrCat(prefix, ".index");
}

std::string ShardName(absl::string_view prefix, int shard, int num_shards) {
  return absl::StrFormat("%s.data-%05d-of-%05d", prefix, shard, num_shards);
}

absl::string_view TensorBytes(const HostTensor& tensor) {
  if (tensor.dtype == DType::kFloat32) {
    return {reinterpret_cast<const char*>(tensor.floats.data()),
            tensor.floats.size() * sizeof(float)};
  }
  return {reinterpret_cast<const char*>(tensor.ints.data()),
          tensor.ints.size() * sizeof(int64_t)};
}

struct Shards {
  std::vector<std::unique_ptr<MappedFile>> files;
  std::vector<std::unique_ptr<FileWatch>> watches;
};

absl::StatusOr<HostTensor> ReadTensor(const tensorflow::BundleEntryProto& entry,
                                      const Shards& shards,
                                      absl::string_view where) {
  if (entry.slices_size() > 0) {
    return absl::UnimplementedError(
        absl::StrCat(where, ": partitioned variables are not supported"));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      HostTensor tensor, EmptyHostTensor(entry.dtype(), entry.shape(), where));
  CONTINUO_ASSIGN_OR_RETURN(const int64_t elements,
                            CheckedElements(tensor.shape, where));
  if (entry.shard_id() < 0 ||
      entry.shard_id() >= static_cast<int>(shards.files.size())) {
    return absl::DataLossError(
        absl::StrCat(where, ": shard ", entry.shard_id(), " does not exist"));
  }
  const MappedFile& file = *shards.files[entry.shard_id()];
  const int64_t file_size = static_cast<int64_t>(file.bytes().size());
  if (entry.size() != elements * CheckpointElementSize(tensor.dtype)) {
    return absl::DataLossError(absl::StrCat(where, ": ", entry.size(),
                                            " bytes stored for ", elements,
                                            " elements"));
  }
  if (entry.offset() < 0 || entry.offset() > file_size ||
      entry.size() > file_size - entry.offset()) {
    return absl::DataLossError(absl::StrCat(where, ": lies beyond the end of ",
                                            file.path(), " (file cut short?)"));
  }
  const absl::string_view bytes =
      file.bytes().substr(entry.offset(), entry.size());
  if (MaskedCrc32c(bytes) != entry.crc32c()) {
    return absl::DataLossError(
        absl::StrCat(where, ": wrong checksum in ", file.path()));
  }
  CopyLittleEndian(bytes, elements, &tensor);
  return tensor;
}

absl::StatusOr<TensorMap> ReadCheckpointV2(const std::string& prefix) {
  const std::string index_name = IndexName(prefix);
  CONTINUO_ASSIGN_OR_RETURN(const std::string index,
                            ReadFile(index_name, kMaxIndexBytes));
  CONTINUO_ASSIGN_OR_RETURN(const SstableEntries entries,
                            ReadSstable(index, index_name));
  tensorflow::BundleHeaderProto header;
  if (entries.empty() || !entries[0].first.empty() ||
      !header.ParseFromString(entries[0].second)) {
    return absl::DataLossError(
        absl::StrCat(index_name, ": no header, not a V2 checkpoint index"));
  }
  if (header.endianness() != tensorflow::BundleHeaderProto::LITTLE) {
    return absl::UnimplementedError(absl::StrCat(
        index_name, ": written on a big-endian machine, not supported"));
  }
  // The largest number that the five digits of a shard's name can hold.
  if (header.num_shards() < 1 || header.num_shards() > 99999) {
    return absl::DataLossError(absl::StrCat(
        index_name,
        ": impossible number of data files: ", header.num_shards()));
  }
  Shards shards;
  for (int i = 0; i < header.num_shards(); ++i) {
    CONTINUO_ASSIGN_OR_RETURN(
        std::unique_ptr<MappedFile> file,
        MappedFile::Open(ShardName(prefix, i, header.num_shards())));
    shards.watches.push_back(
        std::make_unique<FileWatch>(file->path(), file->bytes()));
    shards.files.push_back(std::move(file));
  }
  TensorMap tensors;
  for (size_t i = 1; i < entries.size(); ++i) {
    const auto& [name, value] = entries[i];
    const std::string where = absl::StrCat(index_name, ": tensor ", name);
    tensorflow::BundleEntryProto entry;
    if (!entry.ParseFromString(value)) {
      return absl::DataLossError(absl::StrCat(where, ": unreadable entry"));
    }
    absl::StatusOr<HostTensor> tensor = ReadTensor(entry, shards, where);
    for (const auto& watch : shards.watches) {
      CONTINUO_RETURN_IF_ERROR(watch->Check());
    }
    CONTINUO_RETURN_IF_ERROR(tensor.status());
    tensors[name] = *std::move(tensor);
  }
  return tensors;
}

// The part of a name before ".data-00000-of-00001"; all of it without.
absl::string_view StripShard(absl::string_view path) {
  const size_t begin = path.rfind(".data-");
  if (begin == absl::string_view::npos) return path;
  for (const char c : path.substr(begin + 6)) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)) &&
        !absl::StrContains("-of", c)) {
      return path;
    }
  }
  return path.substr(0, begin);
}

}  // namespace

std::string CheckpointPrefix(absl::string_view path) {
  for (const absl::string_view prefix :
       {absl::StripSuffix(path, ".index"), absl::StripSuffix(path, ".meta"),
        StripShard(path)}) {
    if (prefix != path && FileExists(IndexName(prefix))) {
      return std::string(prefix);
    }
  }
  return std::string(path);
}

absl::Status WriteCheckpointV2(const std::string& prefix,
                               const TensorMap& tensors) {
  tensorflow::BundleHeaderProto header;
  header.set_num_shards(1);
  header.mutable_version()->set_producer(1);
  SstableEntries entries;
  entries.emplace_back("", header.SerializeAsString());

  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> data,
                            AtomicFile::Create(ShardName(prefix, 0, 1)));
  for (const auto& [name, tensor] : tensors) {
    CONTINUO_CHECK(!name.empty());
    const absl::string_view bytes = TensorBytes(tensor);
    tensorflow::BundleEntryProto entry;
    entry.set_dtype(CheckpointDType(tensor.dtype));
    int64_t elements = 1;
    entry.mutable_shape();  // present even for a scalar, as Magenta's
    for (int64_t size : tensor.shape) {
      entry.mutable_shape()->add_dim()->set_size(size);
      elements *= size;
    }
    CONTINUO_CHECK(static_cast<int64_t>(bytes.size()) ==
                   elements * CheckpointElementSize(tensor.dtype));
    entry.set_offset(data->size());
    entry.set_size(static_cast<int64_t>(bytes.size()));
    entry.set_crc32c(MaskedCrc32c(bytes));
    entries.emplace_back(name, entry.SerializeAsString());
    CONTINUO_RETURN_IF_ERROR(data->Append(bytes));
  }
  CONTINUO_RETURN_IF_ERROR(data->Commit());
  return WriteFileAtomically(IndexName(prefix), BuildSstable(entries));
}

absl::StatusOr<TensorMap> ReadCheckpoint(const std::string& path) {
  const std::string folder = CheckpointFolder(path);
  if (!folder.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(NamedCheckpoint newest,
                              ReadNewestCheckpoint(folder));
    return std::move(newest.tensors);
  }
  const std::string prefix = CheckpointPrefix(path);
  if (FileExists(IndexName(prefix))) return ReadCheckpointV2(prefix);
  if (!FileExists(path)) {
    return absl::NotFoundError(
        absl::StrCat(path, ": no checkpoint here: neither this file nor ",
                     IndexName(path), " exists"));
  }
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  const FileWatch watch(path, file->bytes());
  if (LooksLikeSafetensors(file->bytes())) {
    CONTINUO_ASSIGN_OR_RETURN(
        Safetensors contents,
        watch.IfUnchanged(ParseSafetensors(file->bytes(), path)));
    return std::move(contents.tensors);
  }
  return watch.IfUnchanged(ReadCheckpointV1(file->bytes(), path));
}

}  // namespace continuo
