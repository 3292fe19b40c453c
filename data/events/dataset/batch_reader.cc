// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/batch_reader.h"

#include <algorithm>
#include <utility>

#include "data/records/file_kind.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// A batch ends at whichever comes first; small, because two of them are all
// the memory that is needed, but large enough to keep all threads busy.
constexpr size_t kMinBatchSequences = 64;
constexpr size_t kSequencesPerThread = 4;
constexpr size_t kBatchBytes = size_t{4} << 20;

}  // namespace

BatchReader::BatchReader(std::vector<std::string> paths, int num_threads)
    : paths_(std::move(paths)),
      max_sequences_(
          std::max(kMinBatchSequences,
                   kSequencesPerThread * static_cast<size_t>(num_threads))) {}

absl::Status BatchReader::Open() {
  for (const std::string& path : paths_) {
    CONTINUO_RETURN_IF_ERROR(
        Annotate(CheckIsNoFolder(path, /*music=*/true), "`input`"));
    CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<TfRecordReader> reader,
                              TfRecordReader::Open(path));
    CONTINUO_RETURN_IF_ERROR(
        Annotate(CheckHoldsNoteSequences(path, reader->bytes()), "`input`"));
    total_bytes_ += reader->size();
    readers_.push_back(std::move(reader));
  }
  return absl::OkStatus();
}

absl::Status BatchReader::Next(RecordBatch* batch) {
  batch->records.clear();
  batch->first_index = next_index_;
  while (!keep_open_ && closed_ < current_) readers_[closed_++].reset();
  size_t bytes = 0;
  while (current_ < readers_.size() && batch->records.empty()) {
    TfRecordReader& reader = *readers_[current_];
    reader.ReleaseRead();
    while (batch->records.size() < max_sequences_ && bytes < kBatchBytes) {
      const absl::StatusOr<absl::string_view> record = reader.Next();
      if (absl::IsOutOfRange(record.status())) {
        CONTINUO_RETURN_IF_ERROR(
            manifests_.Check(reader.path(), reader.digest()));
        ++current_;
        break;
      }
      CONTINUO_RETURN_IF_ERROR(record.status());
      bytes += record->size();
      batch->records.push_back(*record);
    }
  }
  read_bytes_ +=
      static_cast<int64_t>(bytes) +
      kTfRecordOverhead * static_cast<int64_t>(batch->records.size());
  next_index_ += static_cast<int64_t>(batch->records.size());
  return absl::OkStatus();
}

void BatchReader::Rewind() {
  for (const std::unique_ptr<TfRecordReader>& reader : readers_) {
    reader->Rewind();
  }
  current_ = 0;
  next_index_ = 0;
  read_bytes_ = 0;
}

double BatchReader::fraction_read() const {
  return total_bytes_ == 0 ? 1
                           : static_cast<double>(read_bytes_) /
                                 static_cast<double>(total_bytes_);
}

}  // namespace continuo
