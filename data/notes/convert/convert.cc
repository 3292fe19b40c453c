// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/convert.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "data/notes/abc/abc_text.h"
#include "data/notes/convert/convert_report.h"
#include "data/notes/convert/formats.h"
#include "data/notes/convert/list_directory.h"
#include "data/notes/convert/sha1.h"
#include "data/records/manifest.h"
#include "data/records/shards.h"
#include "data/records/tfrecord.h"
#include "google/protobuf/arena.h"
#include "runtime/base/log.h"
#include "runtime/base/progress.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// Converted but not yet written: beyond it, workers wait for the slow file
// before theirs. One file may exceed it.
constexpr int64_t kMaxWaitingBytes = int64_t{1} << 28;

// Per thread, for the messages of one file; more is allocated as needed, and
// what no file needs is never touched.
constexpr size_t kScratchBytes = size_t{1} << 23;

// What one file gives, ready to be written.
struct FileResult {
  const NoteFormat* format = nullptr;
  absl::Status status;  // of the file as a whole
  std::vector<ConvertedItem> items;

  int64_t bytes() const {
    int64_t size = 0;
    for (const ConvertedItem& item : items) {
      size += static_cast<int64_t>(item.record.size() + sizeof(item));
    }
    return size;
  }
};

ConvertedItem ConvertItem(const NoteFormat& format, const std::string& filename,
                          absl::string_view collection, NoteFileItem item) {
  ConvertedItem converted;
  converted.index = item.index;
  converted.status = std::move(item.status);
  if (!converted.status.ok()) return converted;
  const std::string hashed =
      format.is_book ? absl::StrCat(filename, "_", item.index) : filename;
  converted.id = NoteSequenceId(format.id, collection, hashed);
  converted.report = std::move(item.report);
  converted.num_notes = item.sequence->notes_size();
  converted.total_time = item.sequence->total_time();
  item.sequence->set_id(converted.id);
  item.sequence->set_filename(DecodeAbcText(filename));
  item.sequence->set_collection_name(DecodeAbcText(collection));
  converted.record = item.sequence->SerializeAsString();
  return converted;
}

// Whether somebody else reads the file with this index. A book is read by all,
// each of whom has some of its tunes.
bool IsForOthers(const ListedFile& file, int64_t index,
                 const WorkShare& share) {
  if (share.Has(index)) return false;
  const NoteFormat* format = FindNoteFormat(file.name);
  return format == nullptr || !format->is_book || !file.status.ok();
}

FileResult ConvertFile(const ListedFile& file, int64_t index,
                       const std::string& dir, absl::string_view collection,
                       const ConvertOptions& options,
                       absl::Span<char> scratch) {
  FileResult result;
  result.format = FindNoteFormat(file.name);
  if (IsForOthers(file, index, options.share)) return result;
  result.status = file.status;
  if (!result.status.ok()) return result;
  if (result.format == nullptr) {
    const absl::string_view base = BaseName(file.name);
    const size_t dot = base.rfind('.');
    result.status = absl::InvalidArgumentError(absl::StrCat(
        "no converter for files that end in ",
        dot == absl::string_view::npos ? "nothing (no dot in the name)"
                                       : base.substr(dot)));
    return result;
  }
  const auto bytes = ReadFile(JoinPath(dir, file.name), kMaxNoteFileBytes);
  if (!bytes.ok()) {
    result.status = absl::Status(
        bytes.status().code(),
        absl::StrCat("a file that cannot be read: ", bytes.status().message()));
    return result;
  }
  google::protobuf::ArenaOptions arena_options;
  arena_options.initial_block = scratch.data();
  arena_options.initial_block_size = scratch.size();
  google::protobuf::Arena arena(arena_options);
  auto items = result.format->read(*bytes, options.reading, &arena);
  if (!items.ok()) {
    result.status = items.status();
    return result;
  }
  result.items.reserve(items->size());
  for (NoteFileItem& item : *items) {
    if (!options.share.Has(index + item.index)) continue;
    result.items.push_back(
        ConvertItem(*result.format, file.name, collection, std::move(item)));
  }
  return result;
}

// Takes results in the order of the files, by whichever thread has the next
// one: writes records, logs, counts.
class Output {
 public:
  Output(const ConvertOptions& options, std::vector<ListedFile> files)
      : options_(options),
        files_(std::move(files)),
        progress_(num_files(),
                  {.unit = "files", .redraw = options.progress_line}) {}

  absl::Status Open();
  int64_t num_files() const { return static_cast<int64_t>(files_.size()); }
  const ListedFile& file(int64_t index) const { return files_[index]; }

  absl::Status Add(int64_t index, const FileResult& result);
  absl::StatusOr<ConvertSummary> Close();

 private:
  absl::Status CheckPaths() const;
  std::vector<std::string> OutputNames() const;
  std::string ReportPath() const;
  bool HasMusic() const;
  absl::Status AddItem(const ListedFile& file, const FileResult& result,
                       const ConvertedItem& item);
  absl::Status Commit();
  void CountSkipped(absl::string_view path, const absl::Status& status);
  void LogWarnings(absl::string_view path, const ReadReport& report);

  const ConvertOptions& options_;
  const std::vector<ListedFile> files_;
  Progress progress_;
  std::vector<std::unique_ptr<TfRecordWriter>> shards_;
  std::unique_ptr<ConvertReport> report_;
  ConvertSummary summary_;
};

// Refuses an output in the place of another, or of a file that is to be
// converted.
absl::Status Output::CheckPaths() const {
  std::vector<FieldPath> outputs = {{"report", ReportPath()}};
  for (std::string& name : OutputNames()) {
    outputs.push_back({"output_file", std::move(name)});
  }
  std::vector<FieldPath> inputs;
  const std::string dir = ExpandHome(options_.input_dir);
  for (const ListedFile& file : files_) {
    if (FindNoteFormat(file.name) == nullptr) continue;
    inputs.push_back({"input_dir", JoinPath(dir, file.name)});
  }
  return CheckDistinctPaths(outputs, inputs);
}

std::vector<std::string> Output::OutputNames() const {
  const std::string path = ExpandHome(options_.output_file);
  if (!options_.share.is_all()) return {ShareName(path, options_.share)};
  return ShardNames(path, options_.num_shards);
}

std::string Output::ReportPath() const {
  const std::string path = ExpandHome(options_.report_file);
  return path == kStandardStream ? path : ShareName(path, options_.share);
}

absl::Status Output::Open() {
  if (options_.output_file == kStandardStream &&
      (options_.num_shards > 1 || !options_.share.is_all())) {
    return absl::InvalidArgumentError(
        "`output_file`=- is standard output, which has no shards; name a file, "
        "or leave out `num_shards`, or start one process");
  }
  CONTINUO_RETURN_IF_ERROR(CheckPaths());
  for (const std::string& name : OutputNames()) {
    if (IsDirectory(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "`output_file`=", name, " is a folder: name a file in it"));
    }
    CONTINUO_ASSIGN_OR_RETURN(auto shard, TfRecordWriter::Create(name));
    shards_.push_back(std::move(shard));
  }
  if (!options_.report_file.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(report_, ConvertReport::Create(ReportPath()));
  }
  return absl::OkStatus();
}

void Output::CountSkipped(absl::string_view path, const absl::Status& status) {
  ++summary_.skipped[FailureReason(status.message())];
  LogWarn("Skipped ", path, ": ", status.message());
}

absl::Status Output::AddItem(const ListedFile& file, const FileResult& result,
                             const ConvertedItem& item) {
  const std::string path = result.format->is_book
                               ? absl::StrCat(file.name, ", tune ", item.index)
                               : file.name;
  if (!item.status.ok()) {
    CountSkipped(path, item.status);
    return absl::OkStatus();
  }
  const auto shard = summary_.sequences % static_cast<int64_t>(shards_.size());
  CONTINUO_RETURN_IF_ERROR(shards_[shard]->Append(item.record));
  ++summary_.sequences;
  const ReadReport& report = item.report;
  if (!report.repair.empty()) {
    ++summary_.repaired[FailureReason(report.repair)];
    LogInfo("Repaired ", path, ": ", report.repair);
  }
  LogWarnings(path, report);
  return absl::OkStatus();
}

// A whole collection may have the same oddity, such as grace notes: after a few
// warnings of a kind the rest is for the report and the summary.
void Output::LogWarnings(absl::string_view path, const ReadReport& report) {
  constexpr int kMaxLogged = 3;
  if (report.warnings.empty()) return;
  bool is_news = false;
  std::string last;
  for (const auto& [kind, count] : report.warnings) {
    const int64_t pieces = ++summary_.warned[kind];
    is_news |= pieces <= kMaxLogged;
    if (pieces == kMaxLogged) {
      absl::StrAppend(&last, "; later warnings of this kind are only counted, ",
                      "`report` lists them: ", kind);
    }
  }
  if (is_news) {
    LogWarn(path, ": ", report.WarningText(), last);
  } else {
    LogInfo(path, ": ", report.WarningText());
  }
}

absl::Status Output::Add(int64_t index, const FileResult& result) {
  const ListedFile& file = files_[index];
  // Of a book that another process counts there may be tunes.
  const bool is_mine = options_.share.Has(index);
  if (!is_mine && (!result.status.ok() || result.items.empty())) {
    progress_.Update(index + 1);
    return absl::OkStatus();
  }
  if (is_mine) ++summary_.files;
  // Lines of the log and the progress line share the terminal.
  progress_.Hide();
  if (!result.status.ok()) {
    CountSkipped(file.name, result.status);
  } else {
    for (const ConvertedItem& item : result.items) {
      CONTINUO_RETURN_IF_ERROR(AddItem(file, result, item));
    }
    LogInfo("Converted ", result.format->title, " file ", file.name);
  }
  if (report_ != nullptr) {
    CONTINUO_RETURN_IF_ERROR(
        report_->Add(file.name, result.status, result.items,
                     result.format != nullptr && result.format->is_book));
  }
  progress_.Update(index + 1);
  return absl::OkStatus();
}

// Whoever reads all shards by a pattern would read those of an earlier run too.
void WarnAboutOtherShards(const std::string& path,
                          const std::vector<std::string>& written) {
  const auto found = Glob(absl::StrCat(path, "-[0-9]*-of-[0-9]*"));
  if (!found.ok()) return;
  for (const std::string& name : *found) {
    if (std::find(written.begin(), written.end(), name) == written.end()) {
      LogWarn(name, " was left by another run; remove it before reading ", path,
              "-*");
      return;
    }
  }
}

// Makes all files appear together. Shards belong together, so they have a
// manifest.
absl::Status Output::Commit() {
  std::vector<AtomicFile*> files;
  std::vector<ManifestEntry> entries;
  for (const auto& shard : shards_) {
    files.push_back(&shard->file());
    entries.push_back({shard->file().path(), shard->digest()});
  }
  std::unique_ptr<AtomicFile> manifest;
  const std::string set = ExpandHome(options_.output_file);
  if (shards_.size() > 1) {
    CONTINUO_ASSIGN_OR_RETURN(manifest, WriteManifest(set, entries));
    files.insert(files.begin(), manifest.get());
  } else if (!options_.share.is_all() && options_.share.rank == 0) {
    // That of shards of the same names which are about to be replaced. None is
    // written: no process knows what the others write.
    std::error_code ignored;
    std::filesystem::remove(ManifestPath(set), ignored);
  }
  if (report_ != nullptr) files.push_back(&report_->file());
  return AtomicFile::CommitTogether(files);
}

bool Output::HasMusic() const {
  return std::any_of(files_.begin(), files_.end(), [](const ListedFile& file) {
    return FindNoteFormat(file.name) != nullptr;
  });
}

absl::StatusOr<ConvertSummary> Output::Close() {
  progress_.Hide();
  summary_.seconds = progress_.Seconds();
  if (summary_.sequences == 0 && !options_.share.is_all() && HasMusic()) {
    LogWarn(OutputNames().front(), ": is empty: of ", options_.share.size,
            " processes this one has no sequence");
  } else if (summary_.sequences == 0) {
    // The report is for finding out why, so it appears in any case.
    if (report_ != nullptr) {
      CONTINUO_RETURN_IF_ERROR(report_->file().Commit());
    }
    std::string reasons;
    for (const auto& [reason, count] : summary_.skipped) {
      absl::StrAppend(&reasons, "\n  ", count, "  ", reason);
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "nothing to convert in `input_dir`=", options_.input_dir, " (",
        summary_.files, " entries), so nothing is written; skipped:",
        reasons.empty() ? " nothing, the folder is empty" : reasons,
        "\nGive a folder with files that end in ", NoteFormatEndings(),
        options_.recursive ? "" : ", or `recursive` to look into subfolders"));
  }
  CONTINUO_RETURN_IF_ERROR(Commit());
  const std::string path = ExpandHome(options_.output_file);
  WarnAboutOtherShards(path, options_.share.is_all()
                                 ? OutputNames()
                                 : ShardNames(path, options_.share.size));
  return summary_;
}

// Runs ConvertFile over all files on all threads and hands the results to the
// output in order.
class OrderedRun {
 public:
  OrderedRun(const ConvertOptions& options, Output* output)
      : options_(options),
        dir_(ExpandHome(options.input_dir)),
        collection_(BaseName(options.input_dir)),
        output_(*output) {}

  absl::Status Run() {
    ThreadPool pool(options_.num_threads);
    CONTINUO_RETURN_IF_ERROR(pool.status());
    pool.Run(pool.num_threads(), [this](int64_t) { Work(); });
    return failure_;
  }

 private:
  bool Stopped() const {
    return options_.stop != nullptr &&
           options_.stop->load(std::memory_order_relaxed);
  }

  // Takes files in order until there are none. The thread that finishes the
  // next file due writes it and all finished ones after it.
  void Work() {
    const std::unique_ptr<char[]> scratch(new char[kScratchBytes]);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      if (Stopped() && failure_.ok()) {
        failure_ = absl::CancelledError("stopped; nothing was written");
      }
      if (!failure_.ok() || next_ == output_.num_files()) return;
      const int64_t index = next_++;
      // The file that is due never waits, so that others get their turn.
      room_.wait(lock, [&] {
        return waiting_bytes_ < kMaxWaitingBytes || index == due_ ||
               !failure_.ok();
      });
      if (!failure_.ok()) return;
      lock.unlock();
      FileResult result =
          ConvertFile(output_.file(index), index, dir_, collection_, options_,
                      absl::MakeSpan(scratch.get(), kScratchBytes));
      lock.lock();
      waiting_bytes_ += result.bytes();
      waiting_.emplace(index, std::move(result));
      Flush();
    }
  }

  void Flush() {
    for (auto first = waiting_.begin();
         failure_.ok() && first != waiting_.end() && first->first == due_;
         first = waiting_.begin()) {
      failure_ = output_.Add(due_, first->second);
      waiting_bytes_ -= first->second.bytes();
      waiting_.erase(first);
      ++due_;
    }
    room_.notify_all();
  }

  const ConvertOptions& options_;
  const std::string dir_;
  const std::string collection_;
  Output& output_;
  std::mutex mutex_;  // guards the rest, and output_
  std::condition_variable room_;
  std::map<int64_t, FileResult> waiting_;
  int64_t waiting_bytes_ = 0;
  int64_t next_ = 0;  // file to be taken
  int64_t due_ = 0;   // file to be written
  absl::Status failure_;
};

}  // namespace

absl::StatusOr<ConvertSummary> ConvertDirectory(const ConvertOptions& options) {
  const std::string dir = ExpandHome(options.input_dir);
  if (!IsDirectory(dir)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`input_dir`=", options.input_dir,
        FileExists(dir) ? " is a file: give the folder that it is in"
                        : " does not exist: give the folder of your files"));
  }
  CONTINUO_ASSIGN_OR_RETURN(std::vector<ListedFile> files,
                            ListDirectory(dir, options.recursive));
  Output output(options, std::move(files));
  CONTINUO_RETURN_IF_ERROR(output.Open());
  CONTINUO_RETURN_IF_ERROR(OrderedRun(options, &output).Run());
  return output.Close();
}

std::string NoteSequenceId(absl::string_view type, absl::string_view collection,
                           absl::string_view filename) {
  return absl::StrCat("/id/", type, "/", DecodeAbcText(collection), "/",
                      Sha1Hex(filename));
}

}  // namespace continuo
