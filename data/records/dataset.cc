// SPDX-License-Identifier: Apache-2.0

#include "data/records/dataset.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "data/records/example.h"
#include "data/records/file_kind.h"
#include "data/records/index_cache.h"
#include "data/records/shards.h"
#include "data/records/tfrecord.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/little_endian.h"

namespace continuo {
namespace {

// What was read of larger sets is given back to the system whenever so much may
// be mapped, so that memory does not fill with it.
constexpr int64_t kMaxMappedBytes = int64_t{64} << 20;

// The system maps up to so much around a byte that is read.
constexpr int64_t kFaultAroundBytes = int64_t{64} << 10;

// Shards with as many records that are all the same are no coincidence.
constexpr int64_t kMinEqualRecords = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> Dataset::Open(
    absl::string_view spec, const ExampleFormat& format, ThreadPool* pool,
    const OpenDatasetOptions& options) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                            ShardFiles(spec));
  std::unique_ptr<Dataset> dataset(new Dataset());
  dataset->format_ = format;
  CONTINUO_RETURN_IF_ERROR(dataset->OpenFiles(paths));
  CONTINUO_RETURN_IF_ERROR(dataset->IndexFiles(options, pool));
  CONTINUO_RETURN_IF_ERROR(dataset->CheckSets());
  dataset->Summarize();
  if (dataset->num_examples() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        spec, ": no examples in ", paths.size(),
        paths.size() == 1 ? " file" : " files",
        "; the statistics that the create_dataset command logs tell why "
        "sequences were dropped (for an empty eval set, raise `eval_ratio`)"));
  }
  for (const File& file : dataset->files_) {
    CONTINUO_RETURN_IF_ERROR(file.watch->Check());
  }
  return dataset;
}

absl::Status Dataset::OpenFiles(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    CONTINUO_RETURN_IF_ERROR(CheckIsNoFolder(path, /*music=*/false));
    File file;
    file.path = path;
    CONTINUO_ASSIGN_OR_RETURN(file.mapped, MappedFile::Open(path));
    CONTINUO_RETURN_IF_ERROR(
        CheckHoldsExamples(path, file.mapped->bytes(), format_.made_by));
    file.watch =
        std::make_unique<FileWatch>(file.mapped->path(), file.mapped->bytes());
    files_.push_back(std::move(file));
  }
  return absl::OkStatus();
}

absl::Status Dataset::IndexFiles(const OpenDatasetOptions& options,
                                 ThreadPool* pool) {
  if (!options.index.empty()) return TakeIndex(options.index);
  const auto is_kept = [&](const File& file) {
    return options.min_kept_bytes >= 0 &&
           static_cast<int64_t>(file.mapped->bytes().size()) >=
               options.min_kept_bytes;
  };
  std::vector<char> found(files_.size());
  pool->Run(num_files(), [&](int64_t i) {
    File& file = files_[i];
    const std::optional<FileStamp> stamp = StampOf(file.path);
    if (!is_kept(file) || !stamp.has_value()) return;
    absl::StatusOr<FileIndex> index = LoadIndex(file.path, *stamp, format_);
    absl::Status status = index.status();
    if (status.ok()) status = CheckSample(*file.mapped, *index, format_);
    // What is mapped may have been replaced before the stamp was taken.
    if (status.ok()) status = file.watch->Check();
    if (status.ok()) {
      file.index = *std::move(index);
      found[i] = 1;
    } else if (!absl::IsNotFound(status)) {
      LogInfo(IndexPath(file.path), ": made anew: ", status.message());
    }
  });
  for (size_t i = 0; i < files_.size(); ++i) {
    if (found[i] != 0) continue;
    CONTINUO_RETURN_IF_ERROR(ScanFile(&files_[i], is_kept(files_[i]), pool));
  }
  return absl::OkStatus();
}

absl::Status Dataset::ScanFile(File* file, bool keep, ThreadPool* pool) {
  const std::optional<FileStamp> stamp = StampOf(file->path);
  const int64_t begin_ns = absl::ToUnixNanos(WallTime());
  absl::StatusOr<FileIndex> index =
      FileIndex::Scan(*file->mapped, format_, pool);
  CONTINUO_RETURN_IF_ERROR(file->watch->Check());
  CONTINUO_RETURN_IF_ERROR(index.status());
  file->index = *std::move(index);
  file->was_read = true;
  if (!keep || !stamp.has_value() ||
      stamp->size != static_cast<int64_t>(file->mapped->bytes().size())) {
    return absl::OkStatus();
  }
  const absl::Status saved =
      SaveIndex(file->path, file->index, *stamp, begin_ns, format_);
  if (!saved.ok()) {
    LogInfo("the index of ", file->path,
            " is kept in memory alone, and made again next time: ",
            saved.message());
  }
  return absl::OkStatus();
}

// [length of the name][name][length of the index][index] of each file, the
// lengths in 8 bytes.
std::string Dataset::SerializeIndex() const {
  std::string bytes;
  const auto append = [&bytes](absl::string_view part) {
    AppendLittleEndian(part.size(), 8, &bytes);
    absl::StrAppend(&bytes, part);
  };
  for (const File& file : files_) {
    append(BaseName(file.path));
    append(PackIndex(
        file.index, {.size = static_cast<int64_t>(file.mapped->bytes().size())},
        format_));
  }
  return bytes;
}

absl::Status Dataset::TakeIndex(absl::string_view bytes) {
  // The next part, or nothing where there is none.
  const auto next = [&bytes]() -> std::optional<absl::string_view> {
    if (bytes.size() < 8) return std::nullopt;
    const uint64_t size = LoadLittleEndian(bytes.substr(0, 8));
    if (size > bytes.size() - 8) return std::nullopt;
    const absl::string_view part = bytes.substr(8, size);
    bytes.remove_prefix(8 + size);
    return part;
  };
  for (File& file : files_) {
    const auto size = static_cast<int64_t>(file.mapped->bytes().size());
    const auto name = next();
    const auto packed = next();
    absl::StatusOr<FileIndex> index =
        absl::DataLossError("the index ends before it");
    if (packed.has_value()) {
      index =
          *name == BaseName(file.path)
              ? UnpackIndex(*packed, {.size = size}, format_)
              : absl::DataLossError(absl::StrCat(*name, " is in its place"));
    }
    absl::Status status = index.status();
    if (status.ok()) status = CheckSample(*file.mapped, *index, format_);
    if (!status.ok()) {
      return absl::DataLossError(absl::StrCat(
          file.path,
          ": is not the file that the process with the index has read (",
          status.message(),
          "); all processes of a job must see the same files"));
    }
    file.index = *std::move(index);
  }
  if (bytes.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(files_[0].path, " and ", files_.size() - 1,
                   " more: the process with the index has read other files "
                   "beside; all processes of a job must see the same files"));
}

absl::Status Dataset::CheckSets() const {
  ManifestCheck manifests;
  std::map<std::tuple<int64_t, int64_t, uint32_t>, const File*> by_digest;
  for (const File& file : files_) {
    const RecordDigest& digest = file.index.digest();
    CONTINUO_RETURN_IF_ERROR(manifests.Check(file.mapped->path(), digest));
    if (digest.records < kMinEqualRecords) continue;
    const auto [other, is_new] = by_digest.emplace(
        std::tuple(digest.records, digest.bytes, digest.crc32c), &file);
    if (is_new || !AreOfOneSet(other->second->path, file.path) ||
        other->second->mapped->bytes() != file.mapped->bytes()) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        file.path, ": has the same ", digest.records, " records as ",
        other->second->path, ", another shard of its set; make the set again"));
  }
  return absl::OkStatus();
}

void Dataset::Summarize() {
  label_counts_.assign(
      std::accumulate(format_.head_sizes.begin(), format_.head_sizes.end(), 0),
      0);
  for (const File& file : files_) {
    first_example_.push_back(num_examples_);
    num_examples_ += file.index.num_records();
    num_events_ += file.index.num_events();
    num_bytes_ += static_cast<int64_t>(file.mapped->bytes().size());
    max_steps_ = std::max(max_steps_, file.index.max_steps());
    const RecordDigest& digest = file.index.digest();
    digest_.records += digest.records;
    digest_.bytes += digest.bytes;
    std::string crc;
    AppendLittleEndian(digest.crc32c, 4, &crc);
    digest_.crc32c = ExtendCrc32c(digest_.crc32c, crc);
    for (size_t c = 0; c < label_counts_.size(); ++c) {
      label_counts_[c] += file.index.label_counts()[c];
    }
  }
}

int64_t Dataset::num_files_not_read() const {
  return std::count_if(files_.begin(), files_.end(),
                       [](const File& file) { return !file.was_read; });
}

Dataset::Place Dataset::Find(int64_t example) const {
  // The last file that begins at or before it; those behind empty ones begin
  // at the same.
  const auto after =
      std::upper_bound(first_example_.begin(), first_example_.end(), example);
  const auto file = after - first_example_.begin() - 1;
  return {files_[file], example - first_example_[file]};
}

int Dataset::num_steps(int64_t example) const {
  const Place place = Find(example);
  return place.file.index.steps(place.record);
}

int64_t Dataset::MaxEvents(int rows) const {
  // A batch larger than the set holds whole passes over it.
  const int64_t passes = rows / num_examples();
  const int64_t rest = rows % num_examples();
  std::vector<uint32_t> steps;
  steps.reserve(num_examples());
  for (const File& file : files_) {
    const std::vector<uint32_t>& all = file.index.all_steps();
    steps.insert(steps.end(), all.begin(), all.end());
  }
  std::nth_element(steps.begin(), steps.begin() + rest, steps.end(),
                   std::greater<>());
  return passes * num_events_ +
         std::accumulate(steps.begin(), steps.begin() + rest, int64_t{0});
}

double Dataset::UnigramEntropy() const {
  double sum = 0;
  size_t c = 0;
  for (int size : format_.head_sizes) {
    for (int k = 0; k < size; ++k, ++c) {
      if (label_counts_[c] == 0) continue;
      const double p = static_cast<double>(label_counts_[c]) /
                       static_cast<double>(num_events_);
      sum -= p * std::log(p);
    }
  }
  return sum / format_.heads();
}

absl::Status Dataset::CheckUnchanged(
    const std::vector<int64_t>& examples) const {
  std::vector<const File*> files;
  for (const int64_t example : examples) files.push_back(&Find(example).file);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  for (const File* file : files) {
    CONTINUO_RETURN_IF_ERROR(file->watch->Check());
  }
  return absl::OkStatus();
}

void Dataset::CountRead(int64_t bytes) const {
  if (num_bytes_ <= kMaxMappedBytes) return;
  if ((bytes_mapped_ += bytes + kFaultAroundBytes) < kMaxMappedBytes) return;
  bytes_mapped_ = 0;
  for (const File& file : files_) {
    file.mapped->Release(static_cast<int64_t>(file.mapped->bytes().size()));
  }
}

absl::Status Dataset::ReadUnwatched(int64_t i, EncodedSequence* example) const {
  const auto [file, record] = Find(i);
  CountRead(file.index.size(record));
  if (!file.was_read) {
    return ReadIndexed(*file.mapped, file.index, record, format_, example);
  }
  return ParseExample(
      file.mapped->bytes().substr(file.index.offset(record) + kTfRecordHeader,
                                  file.index.size(record)),
      format_, absl::StrCat(file.mapped->path(), ": record ", record), example);
}

absl::Status Dataset::Read(int64_t i, EncodedSequence* example) const {
  const absl::Status status = ReadUnwatched(i, example);
  CONTINUO_RETURN_IF_ERROR(CheckUnchanged({i}));
  return status;
}

absl::StatusOr<PackedBatch> Dataset::ReadBatch(
    const std::vector<int64_t>& indices) const {
  if (num_bytes_ > kMaxMappedBytes) {
    for (const int64_t i : indices) {
      const auto [file, record] = Find(i);
      file.mapped->WillNeed(file.index.offset(record), file.index.size(record));
    }
  }
  std::vector<EncodedSequence> examples(indices.size());
  std::vector<const EncodedSequence*> pointers;
  absl::Status status;
  for (size_t row = 0; row < indices.size(); ++row) {
    status.Update(ReadUnwatched(indices[row], &examples[row]));
    pointers.push_back(&examples[row]);
  }
  CONTINUO_RETURN_IF_ERROR(CheckUnchanged(indices));
  CONTINUO_RETURN_IF_ERROR(status);
  return PackBatch(pointers, format_.heads());
}

}  // namespace continuo
