// SPDX-License-Identifier: Apache-2.0

#include "generate/scoring/score_sources.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "data/notes/convert/formats.h"
#include "data/notes/convert/list_directory.h"
#include "data/records/file_kind.h"
#include "data/records/shards.h"
#include "google/protobuf/arena.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Records beyond this wait for the next part.
constexpr size_t kMaxBytes = size_t{32} << 20;

// Whether TfRecordReader can read a file of this kind; an empty file is one
// without records.
bool HasRecords(FileKind kind) {
  return kind == FileKind::kNoteSequences ||
         kind == FileKind::kSequenceExamples ||
         kind == FileKind::kCompactExamples ||
         kind == FileKind::kOtherRecords || kind == FileKind::kEmpty;
}

}  // namespace

absl::StatusOr<ScoreSources> ScoreSources::Open(
    const std::vector<std::string>& inputs, bool recursive,
    const WorkShare& share) {
  ScoreSources sources;
  sources.share_ = share;
  for (const std::string& input : inputs) {
    CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                              ExpandShards(input));
    if (paths.size() > 1) {
      CONTINUO_RETURN_IF_ERROR(CheckShardSets(input, paths));
    }
    for (const std::string& path : paths) {
      if (!IsDirectory(path)) {
        sources.files_.push_back({path, absl::OkStatus()});
        continue;
      }
      CONTINUO_ASSIGN_OR_RETURN(const auto listed,
                                ListDirectory(path, recursive));
      for (const ListedFile& file : listed) {
        sources.files_.push_back({JoinPath(path, file.name), file.status});
      }
    }
  }
  return sources;
}

absl::StatusOr<std::vector<ScoreSource>> ScoreSources::Next(int count) {
  std::vector<ScoreSource> sources;
  size_t bytes = 0;
  while (static_cast<int>(sources.size()) < count && bytes < kMaxBytes) {
    if (records_ != nullptr) {
      const auto record = records_->Next();
      if (absl::IsOutOfRange(record.status())) {
        records_.reset();
        continue;
      }
      CONTINUO_RETURN_IF_ERROR(record.status());
      const int64_t number = next_record_++;
      if (IsMine()) {
        sources.push_back({.file = files_[next_file_ - 1].path,
                           .record = number,
                           .bytes = std::string(*record),
                           .is_example = are_examples_,
                           .status = absl::OkStatus()});
        bytes += record->size();
      }
      records_->ReleaseRead();
      continue;
    }
    if (next_file_ == files_.size()) break;
    File& file = files_[next_file_++];
    if (file.status.ok() && FindNoteFormat(file.path) == nullptr) {
      auto reader = TfRecordReader::Open(file.path);
      if (!reader.ok()) {
        file.status = reader.status();
      } else if (const FileKind kind = KindOfFile((*reader)->bytes());
                 HasRecords(kind)) {
        records_ = *std::move(reader);
        next_record_ = 0;
        are_examples_ = kind == FileKind::kSequenceExamples ||
                        kind == FileKind::kCompactExamples;
        continue;
      } else if (!IsMusic(kind) && kind != FileKind::kUnknown) {
        file.status = absl::InvalidArgumentError(
            absl::StrCat("this is ", FileKindTitle(kind),
                         "; give music files, TFRecords of NoteSequences or "
                         "data sets"));
      }
    }
    if (!IsMine()) continue;
    sources.push_back({.file = file.path,
                       .record = std::nullopt,
                       .bytes = {},
                       .status = file.status});
  }
  return sources;
}

void ReadSource(const ScoreSource& source, const ReadOptions& reading,
                absl::FunctionRef<void(std::optional<int64_t>,
                                       absl::StatusOr<NoteSequence*>)>
                    use) {
  if (!source.status.ok()) return use(std::nullopt, source.status);
  google::protobuf::Arena arena;
  if (source.record.has_value()) {
    auto* notes = google::protobuf::Arena::CreateMessage<NoteSequence>(&arena);
    if (!notes->ParseFromString(source.bytes)) {
      return use(std::nullopt,
                 absl::InvalidArgumentError("the record is no NoteSequence"));
    }
    return use(std::nullopt, notes);
  }
  const auto bytes = ReadFile(source.file, kMaxNoteFileBytes);
  if (!bytes.ok()) return use(std::nullopt, bytes.status());
  const NoteFormat* format = FindNoteFormat(source.file, *bytes);
  if (format == nullptr) {
    return use(std::nullopt,
               absl::InvalidArgumentError(absl::StrCat(
                   "neither a TFRecord nor a file that ends in ",
                   NoteFormatEndings(), " or has the contents of one")));
  }
  const auto items = format->read(*bytes, reading, &arena);
  if (!items.ok()) return use(std::nullopt, items.status());
  for (const NoteFileItem& item : *items) {
    std::optional<int64_t> tune;
    if (format->is_book) tune = item.index;
    if (item.status.ok()) {
      use(tune, item.sequence);
    } else {
      use(tune, item.status);
    }
  }
}

}  // namespace continuo
