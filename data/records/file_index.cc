// SPDX-License-Identifier: Apache-2.0

#include "data/records/file_index.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/records/example.h"
#include "data/records/tfrecord.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/status.h"
#include "runtime/files/little_endian.h"

namespace continuo {
namespace {

// Offsets are stored for every so many records; between them sizes are added.
constexpr int64_t kBlock = 64;

// What is checked in parallel at a time, and then released.
constexpr int64_t kScanBytes = int64_t{64} << 20;
constexpr int64_t kScanRecords = 1 << 16;
constexpr int64_t kRecordsPerTask = 16;

constexpr int64_t kSampledRecords = 8;

std::string Where(const MappedFile& file, int64_t record) {
  return absl::StrCat(file.path(), ": record ", record);
}

int NumClasses(const ExampleFormat& format) {
  return std::accumulate(format.head_sizes.begin(), format.head_sizes.end(), 0);
}

// Counts labels; of one thread.
struct Worker {
  EncodedSequence example;
  std::vector<int64_t> label_counts;
  int64_t first_error = std::numeric_limits<int64_t>::max();
  absl::Status error;
};

void CountLabels(const ExampleFormat& format, Worker* worker) {
  for (size_t k = 0; k < worker->example.labels.size();) {
    int64_t first_class = 0;
    for (const int size : format.head_sizes) {
      ++worker->label_counts[first_class + worker->example.labels[k++]];
      first_class += size;
    }
  }
}

}  // namespace

void FileIndex::Summarize() {
  num_events_ = 0;
  max_steps_ = 0;
  block_begin_.clear();
  int64_t offset = 0;
  for (size_t i = 0; i < sizes_.size(); ++i) {
    if (static_cast<int64_t>(i) % kBlock == 0) block_begin_.push_back(offset);
    offset += sizes_[i] + kTfRecordOverhead;
    num_events_ += steps_[i];
    max_steps_ = std::max(max_steps_, static_cast<int>(steps_[i]));
  }
}

int64_t FileIndex::offset(int64_t record) const {
  int64_t offset = block_begin_[record / kBlock];
  for (int64_t i = record / kBlock * kBlock; i < record; ++i) {
    offset += sizes_[i] + kTfRecordOverhead;
  }
  return offset;
}

absl::StatusOr<FileIndex> FileIndex::Scan(const MappedFile& file,
                                          const ExampleFormat& format,
                                          ThreadPool* pool) {
  FileIndex index;
  std::vector<Worker> workers(pool->num_threads());
  for (Worker& worker : workers) {
    worker.label_counts.assign(NumClasses(format), 0);
  }
  std::vector<int64_t> begins;  // of the records of a round
  int64_t offset = 0;
  for (bool at_end = false; !at_end;) {
    const int64_t first = index.num_records();
    const int64_t round_begin = offset;
    begins.clear();
    while (offset - round_begin < kScanBytes &&
           static_cast<int64_t>(begins.size()) < kScanRecords) {
      const int64_t begin = offset;
      // The data's checksum is verified below, in parallel.
      const auto record = ParseTfRecord(file.bytes(), file.path(), &offset,
                                        /*verify_data=*/false);
      at_end = absl::IsOutOfRange(record.status());
      if (at_end) break;
      CONTINUO_RETURN_IF_ERROR(record.status());
      if (record->size() > std::numeric_limits<int32_t>::max()) {
        return absl::InvalidArgumentError(
            absl::StrCat(file.path(), ": a record of more than 2 GiB"));
      }
      index.digest_.Add(file.bytes().substr(begin, offset - begin));
      index.sizes_.push_back(static_cast<uint32_t>(record->size()));
      begins.push_back(begin);
    }
    index.steps_.resize(index.sizes_.size());
    const auto count = static_cast<int64_t>(begins.size());
    pool->RunWithWorker(
        CeilDiv(count, kRecordsPerTask), [&](int64_t task, int w) {
          Worker& worker = workers[w];
          const int64_t end = std::min(count, (task + 1) * kRecordsPerTask);
          for (int64_t i = task * kRecordsPerTask; i < end; ++i) {
            int64_t at = begins[i];
            const auto record = ParseTfRecord(file.bytes(), file.path(), &at);
            absl::Status status = record.status();
            if (status.ok()) {
              status = ParseExample(*record, format, Where(file, first + i),
                                    &worker.example);
            }
            if (!status.ok()) {
              // The first error in the file, whichever thread finds it.
              if (first + i < worker.first_error) {
                worker.first_error = first + i;
                worker.error = std::move(status);
              }
              return;
            }
            index.steps_[first + i] =
                static_cast<uint32_t>(worker.example.inputs.rows());
            CountLabels(format, &worker);
          }
        });
    const auto bad = std::min_element(workers.begin(), workers.end(),
                                      [](const Worker& a, const Worker& b) {
                                        return a.first_error < b.first_error;
                                      });
    CONTINUO_RETURN_IF_ERROR(bad->error);
    file.Release(offset);
  }
  index.label_counts_.assign(NumClasses(format), 0);
  for (const Worker& worker : workers) {
    for (size_t c = 0; c < index.label_counts_.size(); ++c) {
      index.label_counts_[c] += worker.label_counts[c];
    }
  }
  index.Summarize();
  return index;
}

std::string FileIndex::Serialize() const {
  std::string bytes;
  AppendLittleEndian(static_cast<uint64_t>(digest_.records), 8, &bytes);
  AppendLittleEndian(static_cast<uint64_t>(digest_.bytes), 8, &bytes);
  AppendLittleEndian(digest_.crc32c, 4, &bytes);
  for (const int64_t count : label_counts_) {
    AppendLittleEndian(static_cast<uint64_t>(count), 8, &bytes);
  }
  bytes.reserve(bytes.size() + 8 * sizes_.size());
  for (const uint32_t size : sizes_) AppendLittleEndian(size, 4, &bytes);
  for (const uint32_t steps : steps_) AppendLittleEndian(steps, 4, &bytes);
  return bytes;
}

absl::StatusOr<FileIndex> FileIndex::Parse(absl::string_view bytes,
                                           int64_t file_size,
                                           const ExampleFormat& format) {
  const absl::Status bad = absl::DataLossError("not the index of this file");
  const size_t classes = static_cast<size_t>(NumClasses(format));
  size_t at = 0;
  const auto next = [&](size_t size) {
    const uint64_t value = LoadLittleEndian(bytes.substr(at, size));
    at += size;
    return value;
  };
  const size_t header = 20 + 8 * classes;
  if (bytes.size() < header || (bytes.size() - header) % 8 != 0) return bad;
  const size_t records = (bytes.size() - header) / 8;
  FileIndex index;
  if (next(8) != records || next(8) != static_cast<uint64_t>(file_size)) {
    return bad;
  }
  index.digest_ = {.records = static_cast<int64_t>(records),
                   .bytes = file_size,
                   .crc32c = static_cast<uint32_t>(next(4))};
  index.label_counts_.resize(classes);
  for (int64_t& count : index.label_counts_) {
    count = static_cast<int64_t>(next(8));
  }
  index.sizes_.resize(records);
  index.steps_.resize(records);
  int64_t end = 0;
  for (uint32_t& size : index.sizes_) {
    size = static_cast<uint32_t>(next(4));
    if (size > std::numeric_limits<int32_t>::max()) return bad;
    end += size + kTfRecordOverhead;
  }
  if (end != file_size) return bad;
  for (size_t i = 0; i < records; ++i) {
    // A step takes a byte at least, in each form of record.
    const uint64_t steps = next(4);
    if (steps < 1 || steps > index.sizes_[i]) return bad;
    index.steps_[i] = static_cast<uint32_t>(steps);
  }
  index.Summarize();
  // Of each head, an event has one label.
  size_t c = 0;
  for (const int size : format.head_sizes) {
    int64_t left = index.num_events_;
    for (int k = 0; k < size; ++k, ++c) {
      if (index.label_counts_[c] < 0 || index.label_counts_[c] > left) {
        return bad;
      }
      left -= index.label_counts_[c];
    }
    if (left != 0) return bad;
  }
  return index;
}

absl::Status ReadIndexed(const MappedFile& file, const FileIndex& index,
                         int64_t record, const ExampleFormat& format,
                         EncodedSequence* example) {
  int64_t offset = index.offset(record);
  const int64_t end = offset + index.size(record) + kTfRecordOverhead;
  CONTINUO_ASSIGN_OR_RETURN(const absl::string_view data,
                            ParseTfRecord(file.bytes(), file.path(), &offset));
  if (offset == end) {
    CONTINUO_RETURN_IF_ERROR(
        ParseExample(data, format, Where(file, record), example));
    if (example->inputs.rows() == index.steps(record)) {
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(
      absl::StrCat(Where(file, record), " is not the one of its index"));
}

absl::Status CheckSample(const MappedFile& file, const FileIndex& index,
                         const ExampleFormat& format) {
  if (index.num_records() == 0) return absl::OkStatus();
  const int64_t last = index.num_records() - 1;
  EncodedSequence example;
  int64_t checked = -1;
  for (int64_t i = 0; i < kSampledRecords; ++i) {
    const int64_t record = last * i / (kSampledRecords - 1);
    if (record <= checked) continue;
    checked = record;
    CONTINUO_RETURN_IF_ERROR(
        ReadIndexed(file, index, record, format, &example));
  }
  return absl::OkStatus();
}

}  // namespace continuo
