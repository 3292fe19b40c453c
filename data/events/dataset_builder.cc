// Sequences are handled in batches. While the threads work on one batch, one
// of them first writes out the results of the batch before, in input order:
// output is never out of order, and at most two batches are in memory.

#include "data/events/dataset_builder.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/events/record_maker.h"
#include "data/records/tfrecord.h"
#include "nlohmann/json.hpp"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using Clock = std::chrono::steady_clock;

// A batch ends at whichever comes first; small, because two of them are all
// the memory that is needed, but large enough to keep all threads busy.
constexpr size_t kMinBatchSequences = 64;
constexpr size_t kSequencesPerThread = 4;
constexpr size_t kBatchBytes = size_t{4} << 20;

// Records of one sequence beyond this are made as they are written: dense
// inputs are a hundred times larger than sparse rows, and a performance becomes
// 35 examples per half minute.
constexpr int64_t kMaxHeldBytes = int64_t{1} << 20;

constexpr double kSecondsBetweenProgress = 5;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What one sequence came to, ready to be written.
struct Result {
  absl::Status status;
  DatasetPart part = DatasetPart::kTraining;
  std::vector<std::string> records;  // framed
  // Instead of the records, where these are too large to be held for many
  // sequences at a time.
  std::vector<EncodedSequence> examples;
  std::map<std::string, int64_t> discarded;
  std::string report;  // a JSON line, empty if not wanted
};

struct Batch {
  int64_t first_index = 0;
  std::vector<absl::string_view> records;
  std::vector<Result> results;
};

// The files of one set. Examples are dealt out to the shards in turn.
class ShardedFiles {
 public:
  absl::Status Create(const std::string& path, int num_shards) {
    for (const std::string& name : ShardNames(path, num_shards)) {
      CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                                AtomicFile::Create(name));
      files_.push_back(std::move(file));
    }
    return absl::OkStatus();
  }
  absl::Status Append(absl::string_view framed) {
    AtomicFile& file =
        *files_[static_cast<size_t>(num_records_) % files_.size()];
    ++num_records_;
    return file.Append(framed);
  }
  absl::Status Commit(std::vector<std::string>* names) {
    for (const auto& file : files_) {
      CONTINUO_RETURN_IF_ERROR(file->Commit());
      names->push_back(file->path());
    }
    return absl::OkStatus();
  }
  int64_t num_records() const { return num_records_; }

 private:
  std::vector<std::unique_ptr<AtomicFile>> files_;
  int64_t num_records_ = 0;
};

// The records of all inputs in order, a batch at a time.
class BatchReader {
 public:
  BatchReader(const std::vector<std::string>& paths, int num_threads)
      : paths_(paths),
        max_sequences_(
            std::max(kMinBatchSequences,
                     kSequencesPerThread * static_cast<size_t>(num_threads))) {}

  absl::Status Open() {
    for (const std::string& path : paths_) {
      CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<TfRecordReader> reader,
                                TfRecordReader::Open(path));
      total_bytes_ += reader->size();
      readers_.push_back(std::move(reader));
    }
    return absl::OkStatus();
  }

  // Fills `batch` with records of one file; an empty batch is the end. Records
  // of earlier batches must not be used any more.
  absl::Status Next(Batch* batch) {
    batch->records.clear();
    batch->results.clear();
    batch->first_index = next_index_;
    while (closed_ < current_) readers_[closed_++].reset();
    size_t bytes = 0;
    while (current_ < readers_.size() && batch->records.empty()) {
      TfRecordReader& reader = *readers_[current_];
      reader.ReleaseRead();
      while (batch->records.size() < max_sequences_ && bytes < kBatchBytes) {
        const absl::StatusOr<absl::string_view> record = reader.Next();
        if (absl::IsOutOfRange(record.status())) {
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
    batch->results.resize(batch->records.size());
    return absl::OkStatus();
  }

  // In [0, 1].
  double fraction_read() const {
    return total_bytes_ == 0 ? 1
                             : static_cast<double>(read_bytes_) /
                                   static_cast<double>(total_bytes_);
  }

 private:
  std::vector<std::string> paths_;
  size_t max_sequences_;
  std::vector<std::unique_ptr<TfRecordReader>> readers_;
  size_t current_ = 0;
  size_t closed_ = 0;  // readers before this one are gone
  int64_t next_index_ = 0;
  int64_t read_bytes_ = 0;
  int64_t total_bytes_ = 0;
};

// What a thread keeps for itself.
struct Worker {
  NoteSequence sequence;
  Statistics statistics;
  PipelineOutput output;
};

std::string ReportLine(int64_t index, const std::string& id,
                       const std::string& filename, DatasetPart part,
                       const PipelineOutput& output) {
  nlohmann::ordered_json line;
  line["index"] = index;
  line["id"] = id;
  line["filename"] = filename;
  line["set"] = DatasetPartName(part);
  line["examples"] = output.examples.size();
  line["discarded"] = output.discarded;
  if (!output.details.empty()) line["details"] = output.details;
  // Names come from outside: bytes that are not UTF-8 are replaced.
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

// About the size of the records of these examples.
int64_t RecordBytes(const std::vector<EncodedSequence>& examples) {
  int64_t bytes = 0;
  for (const EncodedSequence& example : examples) {
    bytes += int64_t{example.inputs.rows()} * example.inputs.width * 4;
  }
  return bytes;
}

void Process(const DatasetPipeline& pipeline, const RecordMaker& maker,
             const DatasetOptions& options, absl::string_view record,
             int64_t index, Worker* worker, Result* result) {
  if (!worker->sequence.ParseFromArray(record.data(),
                                       static_cast<int>(record.size()))) {
    result->status = absl::DataLossError(
        absl::StrCat("record ", index,
                     " of --input is no NoteSequence: give a file made by "
                     "convert_dir_to_note_sequences"));
    return;
  }
  result->part = options.draw(index) < options.eval_ratio
                     ? DatasetPart::kEval
                     : DatasetPart::kTraining;
  worker->statistics.Count(
      StatisticName("RandomPartition", result->part,
                    absl::StrCat(pipeline.outputs_name(), "_count")),
      1);
  const std::string id = worker->sequence.id();
  const std::string filename = worker->sequence.filename();
  PipelineOutput& output = worker->output;
  output.Clear();
  result->status =
      Annotate(pipeline.Run(result->part, &worker->sequence,
                            &worker->statistics, &output),
               absl::StrCat("record ", index, " (", filename, ")"));
  if (!result->status.ok()) return;
  if (!options.report.empty()) {
    result->report = ReportLine(index, id, filename, result->part, output);
  }
  if (maker.is_dense() && RecordBytes(output.examples) > kMaxHeldBytes) {
    result->examples = std::move(output.examples);
  } else {
    for (const EncodedSequence& example : output.examples) {
      absl::StatusOr<std::string> made = maker.Make(example);
      result->status = Annotate(made.status(), absl::StrCat("record ", index));
      if (!made.ok()) return;
      result->records.push_back(FrameTfRecord(*made));
    }
  }
  result->discarded = std::move(output.discarded);
}

// The files being written.
struct Outputs {
  ShardedFiles training;
  ShardedFiles eval;
  std::unique_ptr<AtomicFile> report;
};

absl::Status CreateOutputs(const DatasetPipeline& pipeline,
                           const DatasetOptions& options, Outputs* outputs) {
  const auto path = [&](DatasetPart part) {
    return JoinPath(options.output_dir,
                    absl::StrCat(DatasetPartName(part), "_",
                                 pipeline.outputs_name(), ".tfrecord"));
  };
  CONTINUO_RETURN_IF_ERROR(outputs->training.Create(
      path(DatasetPart::kTraining), options.num_shards));
  CONTINUO_RETURN_IF_ERROR(
      outputs->eval.Create(path(DatasetPart::kEval), options.num_shards));
  if (!options.report.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(outputs->report,
                              AtomicFile::Create(options.report));
  }
  return absl::OkStatus();
}

absl::Status Write(const RecordMaker& maker, const Batch& batch,
                   Outputs* outputs, DatasetSummary* summary) {
  for (const Result& result : batch.results) {
    CONTINUO_RETURN_IF_ERROR(result.status);
    ShardedFiles& files =
        result.part == DatasetPart::kEval ? outputs->eval : outputs->training;
    for (const std::string& record : result.records) {
      CONTINUO_RETURN_IF_ERROR(files.Append(record));
    }
    for (const EncodedSequence& example : result.examples) {
      CONTINUO_ASSIGN_OR_RETURN(const std::string made, maker.Make(example));
      CONTINUO_RETURN_IF_ERROR(files.Append(FrameTfRecord(made)));
    }
    if (outputs->report != nullptr) {
      CONTINUO_RETURN_IF_ERROR(outputs->report->Append(result.report));
    }
    for (const auto& [reason, times] : result.discarded) {
      summary->discarded[reason] += times;
    }
    ++summary->sequences;
  }
  summary->training_examples = outputs->training.num_records();
  summary->eval_examples = outputs->eval.num_records();
  return absl::OkStatus();
}

// Why nothing came out, most frequent reason first.
absl::Status EmptyResult(const DatasetPipeline& pipeline,
                         const DatasetSummary& summary) {
  if (summary.sequences == 0) {
    return absl::FailedPreconditionError(
        "--input holds no sequences: look at what "
        "convert_dir_to_note_sequences said about the files it skipped");
  }
  std::vector<std::pair<int64_t, std::string>> reasons;
  for (const auto& [reason, times] : summary.discarded) {
    reasons.emplace_back(-times, reason);
  }
  std::sort(reasons.begin(), reasons.end());
  std::string message =
      absl::StrCat("none of the ", summary.sequences,
                   " sequences gave an example, so nothing was written:");
  for (const auto& [negative_times, reason] : reasons) {
    absl::StrAppend(&message, "\n  ", reason, ": ", -negative_times, " (",
                    pipeline.Remedy(reason), ")");
  }
  return absl::FailedPreconditionError(message);
}

void LogProgress(const BatchReader& reader, const DatasetSummary& summary,
                 double seconds) {
  const double fraction = std::min(1.0, reader.fraction_read());
  const int64_t examples = summary.training_examples + summary.eval_examples;
  LogInfo(absl::StrFormat(
      "%d sequences (%.0f %%), %d examples, %.0f sequences/s, %.0f s left",
      summary.sequences, 100 * fraction, examples,
      static_cast<double>(summary.sequences) / seconds,
      fraction > 0 ? seconds * (1 - fraction) / fraction : 0.0));
}

absl::Status ReadProcessWrite(const DatasetPipeline& pipeline,
                              const DatasetOptions& options, ThreadPool* pool,
                              Outputs* outputs, DatasetSummary* summary) {
  const RecordMaker maker(pipeline.encoding(), options.format);
  BatchReader reader(options.inputs, pool->num_threads());
  CONTINUO_RETURN_IF_ERROR(reader.Open());
  std::vector<Worker> workers(static_cast<size_t>(pool->num_threads()));
  Batch batch;
  Batch finished;
  const Clock::time_point start = Clock::now();
  double next_progress = kSecondsBetweenProgress;
  absl::Status written;
  do {
    if (options.stop != nullptr && *options.stop) {
      return absl::CancelledError("stopped; nothing was written");
    }
    CONTINUO_RETURN_IF_ERROR(reader.Next(&batch));
    const auto sequences = static_cast<int64_t>(batch.records.size());
    pool->RunWithWorker(sequences + 1, [&](int64_t task, int worker) {
      if (task == 0) {
        written = Write(maker, finished, outputs, summary);
        return;
      }
      const int64_t i = task - 1;
      Process(pipeline, maker, options, batch.records[i], batch.first_index + i,
              &workers[worker], &batch.results[i]);
    });
    CONTINUO_RETURN_IF_ERROR(written);
    std::swap(batch, finished);
    if (SecondsSince(start) >= next_progress) {
      LogProgress(reader, *summary, SecondsSince(start));
      next_progress = SecondsSince(start) + kSecondsBetweenProgress;
    }
  } while (!finished.records.empty());
  for (const Worker& worker : workers) {
    summary->statistics.Merge(worker.statistics);
  }
  return absl::OkStatus();
}

absl::Status Build(const DatasetPipeline& pipeline,
                   const DatasetOptions& options, ThreadPool* pool,
                   DatasetSummary* summary) {
  Outputs outputs;
  CONTINUO_RETURN_IF_ERROR(CreateOutputs(pipeline, options, &outputs));
  CONTINUO_RETURN_IF_ERROR(
      ReadProcessWrite(pipeline, options, pool, &outputs, summary));
  if (outputs.report != nullptr) {
    CONTINUO_RETURN_IF_ERROR(outputs.report->Commit());
  }
  if (summary->training_examples + summary->eval_examples == 0) {
    return EmptyResult(pipeline, *summary);
  }
  CONTINUO_RETURN_IF_ERROR(outputs.training.Commit(&summary->files));
  return outputs.eval.Commit(&summary->files);
}

}  // namespace

absl::Status BuildDataset(const DatasetPipeline& pipeline,
                          const DatasetOptions& options, ThreadPool* pool,
                          DatasetSummary* summary) {
  const bool existed = IsDirectory(options.output_dir);
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(options.output_dir));
  const absl::Status status = Build(pipeline, options, pool, summary);
  // An empty folder that was not there before is left-over, too.
  if (!status.ok() && !existed) {
    std::error_code ignored;
    std::filesystem::remove(options.output_dir, ignored);
  }
  return status;
}

}  // namespace continuo
