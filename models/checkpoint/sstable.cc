// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/sstable.h"

#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "leveldb/env.h"
#include "leveldb/options.h"
#include "leveldb/table.h"
#include "leveldb/table_builder.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"

namespace continuo {
namespace {

// Layout: blocks, each followed by a type byte (0 = not compressed) and the
// masked CRC-32C of block and type byte; then the footer: two block handles
// (varint offset and size) of the meta index and the index, zeros up to 40
// bytes, and the magic number.
constexpr int64_t kFooterSize = 48;
constexpr int64_t kHandlesSize = 40;
constexpr int64_t kTrailerSize = 5;
constexpr uint64_t kMagic = 0xdb4775248b80fb57u;

absl::Status Damaged(absl::string_view name, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(name, ": damaged checkpoint table: ", what));
}

uint64_t LoadLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

bool TakeVarint(absl::string_view* bytes, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const uint64_t byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    *value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

bool TakeHandle(absl::string_view* bytes, BlockHandle* handle) {
  return TakeVarint(bytes, &handle->offset) && TakeVarint(bytes, &handle->size);
}

// The contents of a block that starts at or after `*end`; moves `*end` past
// its trailer. Blocks in ascending order that share no byte keep the work
// linear in the size of the file, whatever the handles say.
absl::StatusOr<absl::string_view> CheckedBlock(absl::string_view bytes,
                                               absl::string_view name,
                                               const BlockHandle& handle,
                                               uint64_t* end) {
  const uint64_t limit = bytes.size() - kFooterSize;
  if (handle.offset != *end || handle.offset > limit ||
      limit - handle.offset < kTrailerSize ||
      handle.size > limit - handle.offset - kTrailerSize) {
    return Damaged(name, absl::StrCat("block at byte ", handle.offset,
                                      " lies outside its place"));
  }
  const absl::string_view block = bytes.substr(handle.offset, handle.size + 1);
  const absl::string_view crc =
      bytes.substr(handle.offset + handle.size + 1, 4);
  if (LoadLittleEndian(crc) != MaskedCrc32c(block)) {
    return Damaged(name, absl::StrCat("wrong checksum of the block at byte ",
                                      handle.offset));
  }
  if (block.back() != 0) {
    return Damaged(name, absl::StrCat("compressed block at byte ",
                                      handle.offset, " is not supported"));
  }
  *end = handle.offset + handle.size + kTrailerSize;
  return block.substr(0, handle.size);
}

// Checks every byte of the table before LevelDB sees it, because LevelDB sizes
// its buffers by handles that it has not verified.
absl::Status CheckTable(absl::string_view bytes, absl::string_view name) {
  if (bytes.size() < kFooterSize ||
      LoadLittleEndian(bytes.substr(bytes.size() - 8)) != kMagic) {
    return Damaged(name, "no table footer (not a checkpoint, or cut short)");
  }
  absl::string_view handles =
      bytes.substr(bytes.size() - kFooterSize, kHandlesSize);
  BlockHandle meta_index;
  BlockHandle index;
  if (!TakeHandle(&handles, &meta_index) || !TakeHandle(&handles, &index) ||
      handles.find_first_not_of('\0') != absl::string_view::npos) {
    return Damaged(name, "unreadable footer");
  }
  // The index is read before the data blocks that come first in the file.
  uint64_t end = index.offset;
  CONTINUO_ASSIGN_OR_RETURN(absl::string_view block,
                            CheckedBlock(bytes, name, index, &end));
  if (end + kFooterSize != bytes.size()) {
    return Damaged(name, "bytes between index and footer");
  }
  // A block ends with its restart offsets and their number, 4 bytes each.
  if (block.size() < 4) return Damaged(name, "index too short");
  const uint64_t restarts = LoadLittleEndian(block.substr(block.size() - 4));
  if (restarts > (block.size() - 4) / 4) {
    return Damaged(name, "index with impossible restarts");
  }
  block.remove_suffix(4 + 4 * restarts);
  end = 0;
  while (!block.empty()) {
    uint64_t shared = 0, unshared = 0, value_size = 0;
    if (!TakeVarint(&block, &shared) || !TakeVarint(&block, &unshared) ||
        !TakeVarint(&block, &value_size) || unshared > block.size() ||
        value_size > block.size() - unshared) {
      return Damaged(name, "unreadable index entry");
    }
    absl::string_view value = block.substr(unshared, value_size);
    block.remove_prefix(unshared + value_size);
    BlockHandle data;
    if (!TakeHandle(&value, &data) || !value.empty()) {
      return Damaged(name, "unreadable block handle");
    }
    CONTINUO_RETURN_IF_ERROR(CheckedBlock(bytes, name, data, &end).status());
  }
  CONTINUO_RETURN_IF_ERROR(
      CheckedBlock(bytes, name, meta_index, &end).status());
  if (end != index.offset) return Damaged(name, "bytes before the index");
  return absl::OkStatus();
}

class StringSource : public leveldb::RandomAccessFile {
 public:
  explicit StringSource(absl::string_view bytes) : bytes_(bytes) {}
  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result,
                       char* scratch) const override {
    if (offset > bytes_.size()) {
      return leveldb::Status::IOError("read past the end");
    }
    const absl::string_view part = bytes_.substr(offset, n);
    // Copied, because LevelDB takes ownership of what lies in `scratch` only,
    // and reads blocks through unaligned pointers otherwise.
    std::memcpy(scratch, part.data(), part.size());
    *result = leveldb::Slice(scratch, part.size());
    return leveldb::Status::OK();
  }

 private:
  absl::string_view bytes_;
};

class StringSink : public leveldb::WritableFile {
 public:
  leveldb::Status Append(const leveldb::Slice& data) override {
    bytes_.append(data.data(), data.size());
    return leveldb::Status::OK();
  }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }
  std::string bytes_;
};

leveldb::Options TableOptions() {
  leveldb::Options options;
  options.paranoid_checks = true;
  options.compression = leveldb::kNoCompression;
  options.filter_policy = nullptr;
  return options;
}

}  // namespace

absl::StatusOr<SstableEntries> ReadSstable(absl::string_view bytes,
                                           absl::string_view name) {
  CONTINUO_RETURN_IF_ERROR(CheckTable(bytes, name));
  StringSource source(bytes);
  leveldb::Table* opened = nullptr;
  leveldb::Status status =
      leveldb::Table::Open(TableOptions(), &source, bytes.size(), &opened);
  const std::unique_ptr<leveldb::Table> table(opened);
  if (!status.ok()) return Damaged(name, status.ToString());
  leveldb::ReadOptions read_options;
  read_options.verify_checksums = true;
  read_options.fill_cache = false;
  const std::unique_ptr<leveldb::Iterator> it(table->NewIterator(read_options));
  SstableEntries entries;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    std::string key = it->key().ToString();
    if (!entries.empty() && entries.back().first >= key) {
      return Damaged(name, "keys out of order");
    }
    entries.emplace_back(std::move(key), it->value().ToString());
  }
  if (!it->status().ok()) return Damaged(name, it->status().ToString());
  return entries;
}

std::string BuildSstable(const SstableEntries& entries, size_t block_bytes) {
  StringSink sink;
  leveldb::Options options = TableOptions();
  options.block_size = block_bytes;
  leveldb::TableBuilder builder(options, &sink);
  for (const auto& [key, value] : entries) builder.Add(key, value);
  // The sink cannot fail, and keys in order are the caller's promise.
  const leveldb::Status status = builder.Finish();
  CONTINUO_CHECK(status.ok());
  return std::move(sink.bytes_);
}

}  // namespace continuo
