// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/convert_dataset.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/compact_example.h"
#include "data/events/dataset/size_forecast.h"
#include "data/events/encoding_name.h"
#include "data/records/compact_record.h"
#include "data/records/example.h"
#include "data/records/file_kind.h"
#include "data/records/manifest.h"
#include "data/records/tfrecord.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// Records that are converted in parallel; a dense one may have a megabyte.
constexpr size_t kRecordsAtOnce = 64;

bool IsSameFile(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

// The encoding that a compact record names.
absl::StatusOr<EncodingSpec> EncodingOfRecord(absl::string_view record,
                                              absl::string_view where) {
  CompactExample message;
  CONTINUO_RETURN_IF_ERROR(ParseCompactRecord(record, where, &message));
  absl::StatusOr<EncodingSpec> encoding = EncodingByName(message.encoding());
  return encoding.ok() ? encoding : Annotate(encoding.status(), where);
}

// What reads and makes records, known from the options or the first record.
struct Codec {
  ExampleFormat format;
  RecordMaker maker;
};

class Conversion {
 public:
  Conversion(const ConvertDatasetOptions& options, ThreadPool* pool,
             ConvertDatasetSummary* summary)
      : options_(options), pool_(*pool), summary_(*summary) {
    if (options.encoding.has_value()) SetEncoding(*options.encoding);
  }

  absl::Status Run();

 private:
  void SetEncoding(const EncodingSpec& encoding) {
    codec_.emplace(Codec{MakeExampleFormat(encoding, options_.config),
                         RecordMaker(encoding, options_.format)});
  }
  absl::Status RunFile(const std::string& path, TfRecordWriter* output);
  // Makes all files appear together.
  absl::Status Commit(
      const std::vector<std::unique_ptr<TfRecordWriter>>& outputs);
  // Converts `records`, the first of which has the number `first`.
  absl::Status RunRecords(const std::string& path, int64_t first,
                          const std::vector<absl::string_view>& records,
                          TfRecordWriter* output);

  const ConvertDatasetOptions& options_;
  ThreadPool& pool_;
  ConvertDatasetSummary& summary_;
  std::optional<Codec> codec_;
  ManifestCheck manifests_;
};

absl::Status Conversion::RunRecords(
    const std::string& path, int64_t first,
    const std::vector<absl::string_view>& records, TfRecordWriter* output) {
  const auto where = [&](int64_t i) {
    return absl::StrCat(path, ": record ", first + i);
  };
  if (!codec_.has_value()) {
    if (!IsCompactRecord(records[0])) {
      return absl::InvalidArgumentError(absl::StrCat(
          "`config` is required: ", path,
          " does not say with which configuration it was created"));
    }
    CONTINUO_ASSIGN_OR_RETURN(const EncodingSpec encoding,
                              EncodingOfRecord(records[0], where(0)));
    SetEncoding(encoding);
  }
  std::vector<absl::StatusOr<std::string>> made(records.size(), "");
  pool_.Run(static_cast<int64_t>(records.size()), [&](int64_t i) {
    EncodedSequence example;
    const absl::Status read =
        ParseExample(records[i], codec_->format, where(i), &example);
    if (!read.ok()) {
      made[i] = read;
      return;
    }
    made[i] = codec_->maker.Make(example);
    if (!made[i].ok()) made[i] = Annotate(made[i].status(), where(i));
  });
  for (const absl::StatusOr<std::string>& record : made) {
    CONTINUO_RETURN_IF_ERROR(record.status());
    CONTINUO_RETURN_IF_ERROR(output->Append(*record));
  }
  summary_.examples += static_cast<int64_t>(records.size());
  return absl::OkStatus();
}

absl::Status Conversion::RunFile(const std::string& path,
                                 TfRecordWriter* output) {
  CONTINUO_RETURN_IF_ERROR(CheckIsNoFolder(path, /*music=*/false));
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<TfRecordReader> reader,
                            TfRecordReader::Open(path));
  CONTINUO_RETURN_IF_ERROR(
      CheckHoldsExamples(path, reader->bytes(), "the create_dataset command"));
  std::vector<absl::string_view> records;
  int64_t first = 0;
  for (bool at_end = false; !at_end;) {
    if (options_.stop != nullptr && *options_.stop) {
      return absl::CancelledError("stopped; nothing was written");
    }
    records.clear();
    while (records.size() < kRecordsAtOnce && !at_end) {
      const absl::StatusOr<absl::string_view> record = reader->Next();
      at_end = absl::IsOutOfRange(record.status());
      if (at_end) break;
      CONTINUO_RETURN_IF_ERROR(record.status());
      records.push_back(*record);
    }
    if (records.empty()) break;
    CONTINUO_RETURN_IF_ERROR(RunRecords(path, first, records, output));
    first += static_cast<int64_t>(records.size());
    reader->ReleaseRead();
  }
  CONTINUO_RETURN_IF_ERROR(manifests_.Check(path, reader->digest()));
  summary_.bytes_read += reader->size();
  return absl::OkStatus();
}

absl::Status Conversion::Run() {
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(options_.output_dir));
  std::vector<FieldPath> paths;
  for (const std::string& path : options_.inputs) {
    paths.push_back(
        {"output_dir", JoinPath(options_.output_dir, BaseName(path))});
    if (IsSameFile(path, paths.back().path)) {
      return absl::InvalidArgumentError(
          absl::StrCat("`output_dir`=", options_.output_dir, " is where ", path,
                       " lies, which would be replaced; give another folder"));
    }
  }
  CONTINUO_RETURN_IF_ERROR(CheckDistinctPaths(paths));
  std::vector<std::unique_ptr<TfRecordWriter>> outputs;
  for (size_t i = 0; i < paths.size(); ++i) {
    CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<TfRecordWriter> output,
                              TfRecordWriter::Create(paths[i].path));
    CONTINUO_RETURN_IF_ERROR(RunFile(options_.inputs[i], output.get()));
    outputs.push_back(std::move(output));
  }
  return Commit(outputs);
}

absl::Status Conversion::Commit(
    const std::vector<std::unique_ptr<TfRecordWriter>>& outputs) {
  std::vector<AtomicFile*> files;
  std::vector<ManifestEntry> entries;
  for (const std::unique_ptr<TfRecordWriter>& output : outputs) {
    files.push_back(&output->file());
    entries.push_back({files.back()->path(), output->digest()});
    summary_.bytes_written += files.back()->size();
    summary_.files.push_back(files.back()->path());
  }
  std::unique_ptr<AtomicFile> manifest;
  if (files.size() > 1) {
    CONTINUO_ASSIGN_OR_RETURN(
        manifest,
        WriteManifest(JoinPath(options_.output_dir, "converted"), entries));
    files.insert(files.begin(), manifest.get());
  }
  return AtomicFile::CommitTogether(files);
}

}  // namespace

absl::Status ConvertDataset(const ConvertDatasetOptions& options,
                            ThreadPool* pool, ConvertDatasetSummary* summary) {
  return ExplainFullDisk(Conversion(options, pool, summary).Run(),
                         /*offer_compact=*/false);
}

}  // namespace continuo
