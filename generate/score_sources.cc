#include "generate/score_sources.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "data/notes/convert_listing.h"
#include "data/notes/formats.h"
#include "google/protobuf/arena.h"
#include "runtime/file.h"
#include "runtime/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Whether a file begins like a TFRecord; an empty file is one without records.
absl::StatusOr<bool> IsTfRecord(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  if (file->bytes().empty()) return true;
  int64_t offset = 0;
  return ParseTfRecord(file->bytes(), path, &offset, /*verify_data=*/false)
      .ok();
}

}  // namespace

absl::StatusOr<ScoreSources> ScoreSources::Open(
    const std::vector<std::string>& inputs, bool recursive) {
  ScoreSources sources;
  for (const std::string& input : inputs) {
    CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                              Glob(input));
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
  while (static_cast<int>(sources.size()) < count) {
    if (records_ != nullptr) {
      const auto record = records_->Next();
      if (absl::IsOutOfRange(record.status())) {
        records_.reset();
        continue;
      }
      CONTINUO_RETURN_IF_ERROR(record.status());
      sources.push_back({.file = files_[next_file_ - 1].path,
                         .record = next_record_++,
                         .bytes = std::string(*record),
                         .status = absl::OkStatus()});
      records_->ReleaseRead();
      continue;
    }
    if (next_file_ == files_.size()) break;
    const File& file = files_[next_file_++];
    if (file.status.ok() && FindNoteFormat(file.path) == nullptr) {
      const absl::StatusOr<bool> is_records = IsTfRecord(file.path);
      if (is_records.ok() && *is_records) {
        CONTINUO_ASSIGN_OR_RETURN(records_, TfRecordReader::Open(file.path));
        next_record_ = 0;
        continue;
      }
    }
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
  const NoteFormat* format = FindNoteFormat(source.file);
  if (format == nullptr) {
    return use(std::nullopt, absl::InvalidArgumentError(absl::StrCat(
                                 "neither a TFRecord nor a file that ends in ",
                                 NoteFormatEndings())));
  }
  const auto bytes = ReadFile(source.file, kMaxNoteFileBytes);
  if (!bytes.ok()) return use(std::nullopt, bytes.status());
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
