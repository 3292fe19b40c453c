// SPDX-License-Identifier: Apache-2.0

// Sequences are handled in batches. While the threads work on one batch, one
// of them first writes out the results of the batch before, in input order:
// output is never out of order, and at most two batches are in memory.

#include "data/events/dataset/dataset_builder.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "data/events/dataset/batch_reader.h"
#include "data/events/dataset/duplicates.h"
#include "data/events/dataset/fingerprint.h"
#include "data/events/dataset/record_maker.h"
#include "data/events/dataset/size_forecast.h"
#include "data/records/manifest.h"
#include "data/records/shards.h"
#include "data/records/tfrecord.h"
#include "runtime/base/counted.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/progress.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Records of one sequence beyond this are made as they are written: dense
// inputs are a hundred times larger than sparse rows, and a performance becomes
// 35 examples per half minute.
constexpr int64_t kMaxHeldBytes = int64_t{1} << 20;

// Of the sequences before this one, the sizes of the first examples in both
// forms show what the other form would have saved.
constexpr int64_t kSampledSequences = 128;

// The reason of copies that --dedup leaves out.
constexpr char kCopy[] = "same_notes_as_an_earlier_sequence";

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
  SizeSample sample;
};

struct Batch {
  RecordBatch input;
  std::vector<Result> results;
};

// One run of BuildDataset: what all threads read.
struct Job {
  const DatasetPipeline& pipeline;
  const DatasetOptions& options;
  RecordMaker maker;
  RecordMaker compact_maker;
  std::optional<Duplicates> duplicates;  // with --dedup
};

// The files of one set. Examples are dealt out to the shards in turn.
class ShardedFiles {
 public:
  absl::Status Create(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                                AtomicFile::Create(name));
      files_.push_back(std::move(file));
    }
    digests_.resize(files_.size());
    return absl::OkStatus();
  }
  absl::Status Append(absl::string_view framed) {
    AtomicFile& file =
        *files_[static_cast<size_t>(num_records_) % files_.size()];
    digests_[static_cast<size_t>(num_records_) % files_.size()].Add(framed);
    ++num_records_;
    num_bytes_ += static_cast<int64_t>(framed.size());
    return file.Append(framed);
  }
  int64_t num_records() const { return num_records_; }
  int64_t num_bytes() const { return num_bytes_; }
  const std::vector<std::unique_ptr<AtomicFile>>& files() const {
    return files_;
  }
  const std::vector<RecordDigest>& digests() const { return digests_; }

 private:
  std::vector<std::unique_ptr<AtomicFile>> files_;
  std::vector<RecordDigest> digests_;
  int64_t num_records_ = 0;
  int64_t num_bytes_ = 0;
};

// What a thread keeps for itself.
struct Worker {
  NoteSequence sequence;
  Statistics statistics;
  PipelineOutput output;
};

std::string ReportLine(int64_t index, const std::string& id,
                       const std::string& filename, DatasetPart part,
                       const PipelineOutput& output,
                       const std::optional<Duplicates>& duplicates) {
  OrderedJson line;
  line["index"] = index;
  line["id"] = id;
  line["filename"] = filename;
  line["set"] = DatasetPartName(part);
  line["examples"] = output.examples.size();
  line["discarded"] = output.discarded;
  if (!output.details.empty()) line["details"] = output.details;
  if (duplicates.has_value()) {
    const int64_t copy_of = duplicates->copy_of[index];
    const int64_t group = duplicates->group[index];
    if (copy_of >= 0) {
      line["copy_of"] = copy_of;
    } else if (group != index) {
      line["like"] = group;
    }
  }
  // Names come from outside: bytes that are not UTF-8 are replaced.
  return JsonText(line) + "\n";
}

// About the size of the records of these examples.
int64_t RecordBytes(const std::vector<EncodedSequence>& examples) {
  int64_t bytes = 0;
  for (const EncodedSequence& example : examples) {
    bytes += int64_t{example.inputs.rows()} * example.inputs.width * 4;
  }
  return bytes;
}

// The sizes of an example in both forms.
SizeSample SampleSizes(const Job& job, const EncodedSequence& example) {
  const auto magenta = job.maker.Make(example);
  const auto compact = job.compact_maker.Make(example);
  if (!magenta.ok() || !compact.ok()) return {};
  return {.magenta_bytes = static_cast<int64_t>(magenta->size()),
          .compact_bytes = static_cast<int64_t>(compact->size())};
}

// Makes the records of a sequence, or leaves that to the writer.
absl::Status MakeRecords(const Job& job, int64_t index,
                         std::vector<EncodedSequence>* examples,
                         Result* result) {
  if (job.options.format == DatasetFormat::kMagenta &&
      index < kSampledSequences && !examples->empty()) {
    result->sample = SampleSizes(job, examples->front());
  }
  if (job.maker.is_dense() && RecordBytes(*examples) > kMaxHeldBytes) {
    result->examples = std::move(*examples);
    return absl::OkStatus();
  }
  for (const EncodedSequence& example : *examples) {
    CONTINUO_ASSIGN_OR_RETURN(const std::string made, job.maker.Make(example));
    result->records.push_back(FrameTfRecord(made));
  }
  return absl::OkStatus();
}

// The part a sequence goes to; with --dedup that of the first one like it.
DatasetPart PartOf(const Job& job, int64_t index) {
  const int64_t drawn =
      job.duplicates.has_value() ? job.duplicates->group[index] : index;
  return job.options.draw(drawn) < job.options.eval_ratio
             ? DatasetPart::kEval
             : DatasetPart::kTraining;
}

// Runs the pipeline over a sequence, unless it is a copy.
absl::Status RunPipeline(const Job& job, int64_t index, DatasetPart part,
                         Worker* worker) {
  const int64_t copy_of =
      job.duplicates.has_value() ? job.duplicates->copy_of[index] : -1;
  if (copy_of >= 0) {
    worker->output.Discard(kCopy, 1);
    worker->output.details.push_back(
        absl::StrCat("the notes of sequence ", copy_of));
    return absl::OkStatus();
  }
  worker->statistics.Count(
      StatisticName("RandomPartition", part,
                    absl::StrCat(job.pipeline.outputs_name(), "_count")),
      1);
  return job.pipeline.Run(part, &worker->sequence, &worker->statistics,
                          &worker->output);
}

void Process(const Job& job, absl::string_view record, int64_t index,
             Worker* worker, Result* result) {
  if (!worker->sequence.ParseFromArray(record.data(),
                                       static_cast<int>(record.size()))) {
    result->status = absl::DataLossError(
        absl::StrCat("record ", index,
                     " of `input` is no NoteSequence: give a file made by "
                     "convert_dir_to_note_sequences"));
    return;
  }
  result->part = PartOf(job, index);
  const std::string id = worker->sequence.id();
  const std::string filename = worker->sequence.filename();
  PipelineOutput& output = worker->output;
  output.Clear();
  absl::Status status = RunPipeline(job, index, result->part, worker);
  if (status.ok()) {
    if (!job.options.report.empty()) {
      result->report =
          ReportLine(index, id, filename, result->part, output, job.duplicates);
    }
    status = MakeRecords(job, index, &output.examples, result);
  }
  result->status =
      Annotate(status, absl::StrCat("record ", index, " (", filename, ")"));
  result->discarded = std::move(output.discarded);
}

// The files being written.
struct Outputs {
  ShardedFiles training;
  ShardedFiles eval;
  std::unique_ptr<AtomicFile> report;

  int64_t num_bytes() const { return training.num_bytes() + eval.num_bytes(); }
};

// The files of a set that this process writes.
std::vector<std::string> OutputPaths(const DatasetPipeline& pipeline,
                                     const DatasetOptions& options,
                                     DatasetPart part) {
  const std::string path = JoinPath(
      options.output_dir, absl::StrCat(DatasetPartName(part), "_",
                                       pipeline.outputs_name(), ".tfrecord"));
  if (!options.share.is_all()) return {ShareName(path, options.share)};
  return ShardNames(path, options.num_shards);
}

std::string ReportPath(const DatasetOptions& options) {
  return options.report == kStandardStream
             ? options.report
             : ShareName(options.report, options.share);
}

absl::Status CheckPaths(const DatasetPipeline& pipeline,
                        const DatasetOptions& options) {
  std::vector<FieldPath> outputs = {{"report", ReportPath(options)}};
  for (const DatasetPart part : {DatasetPart::kTraining, DatasetPart::kEval}) {
    for (std::string& name : OutputPaths(pipeline, options, part)) {
      outputs.push_back({"output_dir", std::move(name)});
    }
  }
  std::vector<FieldPath> inputs;
  for (const std::string& input : options.inputs) {
    inputs.push_back({"input", input});
  }
  return CheckDistinctPaths(outputs, inputs);
}

absl::Status CreateOutputs(const DatasetPipeline& pipeline,
                           const DatasetOptions& options, Outputs* outputs) {
  CONTINUO_RETURN_IF_ERROR(CheckPaths(pipeline, options));
  CONTINUO_RETURN_IF_ERROR(outputs->training.Create(
      OutputPaths(pipeline, options, DatasetPart::kTraining)));
  CONTINUO_RETURN_IF_ERROR(
      outputs->eval.Create(OutputPaths(pipeline, options, DatasetPart::kEval)));
  if (!options.report.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(outputs->report,
                              AtomicFile::Create(ReportPath(options)));
  }
  return absl::OkStatus();
}

absl::Status WriteResult(const Job& job, const Result& result,
                         Outputs* outputs) {
  ShardedFiles& files =
      result.part == DatasetPart::kEval ? outputs->eval : outputs->training;
  for (const std::string& record : result.records) {
    CONTINUO_RETURN_IF_ERROR(files.Append(record));
  }
  for (const EncodedSequence& example : result.examples) {
    CONTINUO_ASSIGN_OR_RETURN(const std::string made, job.maker.Make(example));
    CONTINUO_RETURN_IF_ERROR(files.Append(FrameTfRecord(made)));
  }
  if (outputs->report == nullptr) return absl::OkStatus();
  return outputs->report->Append(result.report);
}

absl::Status Write(const Job& job, const Batch& batch, Outputs* outputs,
                   SizeForecast* forecast, DatasetSummary* summary) {
  for (size_t i = 0; i < batch.results.size(); ++i) {
    if (!job.options.share.Has(batch.input.first_index +
                               static_cast<int64_t>(i))) {
      continue;
    }
    const Result& result = batch.results[i];
    CONTINUO_RETURN_IF_ERROR(result.status);
    CONTINUO_RETURN_IF_ERROR(WriteResult(job, result, outputs));
    for (const auto& [reason, times] : result.discarded) {
      summary->discarded[reason] += times;
    }
    ++summary->sequences;
    forecast->Add(
        static_cast<int64_t>(batch.input.records[i].size()) + kTfRecordOverhead,
        static_cast<int64_t>(result.records.size() + result.examples.size()),
        outputs->num_bytes() - forecast->written_bytes(), result.sample);
    if (const auto warning =
            forecast->Warning(job.options.output_dir, job.options.free_bytes)) {
      LogWarn(*warning);
    }
  }
  summary->training_examples = outputs->training.num_records();
  summary->eval_examples = outputs->eval.num_records();
  summary->training_bytes = outputs->training.num_bytes();
  summary->eval_bytes = outputs->eval.num_bytes();
  return absl::OkStatus();
}

// Why nothing came out, most frequent reason first.
absl::Status EmptyResult(const DatasetPipeline& pipeline,
                         const DatasetSummary& summary) {
  if (summary.sequences == 0) {
    return absl::FailedPreconditionError(
        "`input` holds no sequences: look at what "
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
                    DiscardRemedy(pipeline, reason), ")");
  }
  return absl::FailedPreconditionError(message);
}

absl::Status CheckStop(const DatasetOptions& options) {
  if (options.stop == nullptr || !*options.stop) return absl::OkStatus();
  return absl::CancelledError("stopped; nothing was written");
}

// Reads everything once and finds the duplicates in it.
absl::Status FindDuplicates(BatchReader* reader, ThreadPool* pool, Job* job,
                            DatasetSummary* summary) {
  std::vector<NoteSequence> sequences(static_cast<size_t>(pool->num_threads()));
  std::vector<Fingerprint> fingerprints;
  RecordBatch batch;
  reader->set_keep_open(true);
  for (;;) {
    CONTINUO_RETURN_IF_ERROR(CheckStop(job->options));
    CONTINUO_RETURN_IF_ERROR(reader->Next(&batch));
    if (batch.records.empty()) break;
    fingerprints.resize(fingerprints.size() + batch.records.size());
    pool->RunWithWorker(
        static_cast<int64_t>(batch.records.size()), [&](int64_t i, int worker) {
          const absl::string_view record = batch.records[i];
          // What is damaged is reported when it is processed.
          if (sequences[worker].ParseFromArray(
                  record.data(), static_cast<int>(record.size()))) {
            fingerprints[batch.first_index + i] =
                job->pipeline.FingerprintOf(sequences[worker]);
          }
        });
  }
  reader->Rewind();
  reader->set_keep_open(false);
  // Each process compares all, and so comes to the same; one counts them.
  job->duplicates = continuo::FindDuplicates(fingerprints);
  if (job->options.share.rank > 0) return absl::OkStatus();
  summary->statistics.Count("Deduplicator_copies_left_out",
                            job->duplicates->num_copies());
  summary->statistics.Count("Deduplicator_near_duplicates_kept_together",
                            job->duplicates->num_near());
  return absl::OkStatus();
}

absl::Status ReadProcessWrite(Job* job, ThreadPool* pool, Outputs* outputs,
                              DatasetSummary* summary) {
  BatchReader reader(job->options.inputs, pool->num_threads());
  CONTINUO_RETURN_IF_ERROR(reader.Open());
  if (job->options.dedup) {
    CONTINUO_RETURN_IF_ERROR(FindDuplicates(&reader, pool, job, summary));
  }
  SizeForecast forecast(reader.total_bytes());
  std::vector<Worker> workers(static_cast<size_t>(pool->num_threads()));
  Batch batch;
  Batch finished;
  Progress progress(/*total=*/0,
                    {.unit = "sequences", .interval = absl::Seconds(5)});
  absl::Status written;
  do {
    CONTINUO_RETURN_IF_ERROR(CheckStop(job->options));
    CONTINUO_RETURN_IF_ERROR(reader.Next(&batch.input));
    batch.results.clear();
    batch.results.resize(batch.input.records.size());
    const auto sequences = static_cast<int64_t>(batch.results.size());
    pool->RunWithWorker(sequences + 1, [&](int64_t task, int worker) {
      if (task == 0) {
        written = Write(*job, finished, outputs, &forecast, summary);
        return;
      }
      const int64_t i = task - 1;
      const int64_t index = batch.input.first_index + i;
      if (!job->options.share.Has(index)) return;
      Process(*job, batch.input.records[i], index, &workers[worker],
              &batch.results[i]);
    });
    CONTINUO_RETURN_IF_ERROR(written);
    std::swap(batch, finished);
    progress.UpdateFraction(
        summary->sequences, std::min(1.0, reader.fraction_read()),
        Counted(summary->training_examples + summary->eval_examples,
                "example"));
  } while (!finished.results.empty());
  for (const Worker& worker : workers) {
    summary->statistics.Merge(worker.statistics);
  }
  return absl::OkStatus();
}

// Makes all files appear together. The manifest of `set` goes first.
absl::Status CommitOutputs(const std::string& set, const WorkShare& share,
                           const Outputs& outputs, DatasetSummary* summary) {
  std::vector<AtomicFile*> files;
  std::vector<ManifestEntry> entries;
  for (const ShardedFiles* shards : {&outputs.training, &outputs.eval}) {
    for (size_t i = 0; i < shards->files().size(); ++i) {
      AtomicFile* file = shards->files()[i].get();
      files.push_back(file);
      summary->files.push_back(file->path());
      entries.push_back({file->path(), shards->digests()[i]});
    }
  }
  std::unique_ptr<AtomicFile> manifest;
  if (share.is_all()) {
    CONTINUO_ASSIGN_OR_RETURN(manifest, WriteManifest(set, entries));
    files.insert(files.begin(), manifest.get());
  } else if (share.rank == 0) {
    // That of shards of the same names which are about to be replaced. None is
    // written: no process knows what the others write.
    std::error_code ignored;
    std::filesystem::remove(ManifestPath(set), ignored);
  }
  if (outputs.report != nullptr) files.push_back(outputs.report.get());
  return AtomicFile::CommitTogether(files);
}

absl::Status Build(const DatasetPipeline& pipeline,
                   const DatasetOptions& options, ThreadPool* pool,
                   DatasetSummary* summary) {
  Outputs outputs;
  CONTINUO_RETURN_IF_ERROR(CreateOutputs(pipeline, options, &outputs));
  Job job{.pipeline = pipeline,
          .options = options,
          .maker = RecordMaker(pipeline.encoding(), options.format),
          .compact_maker =
              RecordMaker(pipeline.encoding(), DatasetFormat::kCompact),
          .duplicates = std::nullopt};
  CONTINUO_RETURN_IF_ERROR(ReadProcessWrite(&job, pool, &outputs, summary));
  const bool is_empty =
      summary->training_examples + summary->eval_examples == 0;
  if (is_empty && !options.share.is_all()) {
    LogWarn(outputs.training.files()[0]->path(),
            " and that for evaluation are empty: of ", options.share.size,
            " processes this one has no example");
  } else if (is_empty) {
    if (outputs.report != nullptr) {
      CONTINUO_RETURN_IF_ERROR(outputs.report->Commit());
    }
    return EmptyResult(pipeline, *summary);
  }
  return CommitOutputs(JoinPath(options.output_dir, pipeline.outputs_name()),
                       options.share, outputs, summary);
}

}  // namespace

std::string DiscardRemedy(const DatasetPipeline& pipeline,
                          absl::string_view reason) {
  if (reason == kCopy) return "`dedup`=false keeps them";
  return pipeline.Remedy(reason);
}

absl::Status BuildDataset(const DatasetPipeline& pipeline,
                          const DatasetOptions& options, ThreadPool* pool,
                          DatasetSummary* summary) {
  const bool existed = IsDirectory(options.output_dir);
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(options.output_dir));
  const absl::Status status = ExplainFullDisk(
      Build(pipeline, options, pool, summary),
      /*offer_compact=*/options.format != DatasetFormat::kCompact);
  // An empty folder that was not there before is left-over, too.
  if (!status.ok() && !existed) {
    std::error_code ignored;
    std::filesystem::remove(options.output_dir, ignored);
  }
  return status;
}

}  // namespace continuo
