// SPDX-License-Identifier: Apache-2.0

#include "generate/scoring/score_run.h"

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/events/compact_example.h"
#include "data/notes/convert/convert.h"
#include "data/records/example.h"
#include "data/records/shards.h"
#include "generate/output/generate_files.h"
#include "generate/scoring/score.h"
#include "generate/scoring/score_sources.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Sources that are read in parallel.
constexpr int kSourcesAtOnce = 256;
// Events that wait to be scored together: some 100 MB of inputs.
constexpr int64_t kEventsAtOnce = int64_t{1} << 19;

// Reason for sequences to which the model gives no number.
constexpr char kOverflow[] = "model_output_not_finite";

// A file, tune or record and what there is to score in it.
struct Piece {
  std::string file;
  std::optional<int64_t> record;
  std::optional<int64_t> tune;
  absl::Status status;
  PipelineOutput output;

  std::string Name() const {
    if (tune.has_value()) return absl::StrCat(file, ", tune ", *tune);
    if (record.has_value()) return absl::StrCat(file, ", record ", *record);
    return file;
  }
  OrderedJson Header() const {
    OrderedJson json;
    json["file"] = file;
    if (tune.has_value()) json["tune"] = *tune;
    if (record.has_value()) json["record"] = *record;
    return json;
  }
};

// File names may hold bytes that are not UTF-8.
std::string Line(const OrderedJson& json) { return JsonText(json) + "\n"; }

// The pieces of one source: notes through the pipeline, and training examples
// of `format` as they are.
std::vector<Piece> ReadPieces(const DatasetPipeline& pipeline,
                              const ExampleFormat& format,
                              const ScoreSource& source,
                              const ReadOptions& reading) {
  std::vector<Piece> pieces;
  if (source.is_example) {
    Piece& piece = pieces.emplace_back();
    piece.file = source.file;
    piece.record = source.record;
    EncodedSequence example;
    piece.status = ParseExample(source.bytes, format, "the example", &example);
    if (piece.status.ok()) piece.output.examples.push_back(std::move(example));
    return pieces;
  }
  ReadSource(
      source, reading,
      [&](std::optional<int64_t> tune, absl::StatusOr<NoteSequence*> notes) {
        Piece& piece = pieces.emplace_back();
        piece.file = source.file;
        piece.record = source.record;
        piece.tune = tune;
        piece.status = notes.status();
        if (!notes.ok()) return;
        Statistics unused;
        piece.status =
            pipeline.Run(DatasetPart::kEval, *notes, &unused, &piece.output);
      });
  return pieces;
}

class Scoring {
 public:
  Scoring(const LoadedModel& model, const DatasetPipeline& pipeline,
          const ScoreOptions& options)
      : model_(model),
        pipeline_(pipeline),
        options_(options),
        pool_(*model.rnn->stream().pool) {}

  absl::StatusOr<ScoreSummary> Run();

 private:
  // Scores what waits and writes its lines.
  absl::Status Flush(AtomicFile* output);
  absl::Status Report(const Piece& piece);
  std::string Explain(const Piece& piece);
  absl::Status NothingScored() const;
  std::string SummaryLine() const;

  const LoadedModel& model_;
  const DatasetPipeline& pipeline_;
  const ScoreOptions& options_;
  ThreadPool& pool_;
  std::unique_ptr<AtomicFile> report_;
  std::vector<Piece> waiting_;
  int64_t waiting_events_ = 0;
  std::map<std::string, int64_t> reasons_;  // pieces or sequences dropped
  ScoreSummary summary_;
};

// Why a piece gives nothing, or less; counts the reasons.
std::string Scoring::Explain(const Piece& piece) {
  if (!piece.status.ok()) {
    ++reasons_[FailureReason(piece.status.message())];
    return std::string(piece.status.message());
  }
  std::vector<std::string> parts;
  for (const auto& [reason, times] : piece.output.discarded) {
    const std::string remedy = reason == kOverflow
                                   ? "the model was not trained well"
                                   : pipeline_.Remedy(reason);
    reasons_[absl::StrCat(reason, " (", remedy, ")")] += times;
    parts.push_back(absl::StrCat(times, " ", reason));
  }
  parts.insert(parts.end(), piece.output.details.begin(),
               piece.output.details.end());
  return absl::StrJoin(parts, "; ");
}

absl::Status Scoring::Report(const Piece& piece) {
  ++summary_.pieces;
  const auto overflows = piece.output.discarded.find(kOverflow);
  const int64_t scored =
      static_cast<int64_t>(piece.output.examples.size()) -
      (overflows == piece.output.discarded.end() ? 0 : overflows->second);
  const bool skipped = scored == 0;
  const std::string message = Explain(piece);
  if (skipped) {
    ++summary_.skipped;
    LogWarn("Skipped ", piece.Name(), ": ", message);
  }
  if (report_ == nullptr) return absl::OkStatus();
  OrderedJson json = piece.Header();
  json["status"] = skipped ? "skipped" : "scored";
  json["sequences"] = scored;
  if (!piece.output.discarded.empty()) {
    json["discarded"] = piece.output.discarded;
  }
  if (!message.empty()) json["message"] = message;
  return report_->Append(Line(json));
}

absl::Status Scoring::Flush(AtomicFile* output) {
  std::vector<EncodedSequence> examples;
  for (Piece& piece : waiting_) {
    for (EncodedSequence& example : piece.output.examples) {
      examples.push_back(std::move(example));
    }
  }
  const int batch_rows = options_.batch_rows > 0
                             ? options_.batch_rows
                             : DefaultRows(model_.rnn->stream());
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<ExampleScore> scores,
      ScoreExamples(*model_.rnn, *model_.encoder, examples, batch_rows));
  size_t next = 0;
  for (Piece& piece : waiting_) {
    for (size_t i = 0; i < piece.output.examples.size(); ++i) {
      const int64_t row = scores[next + i].overflow_row;
      if (row < 0) continue;
      piece.output.Discard(kOverflow, 1);
      piece.output.details.push_back(absl::StrCat(
          "sequence ", i, ": the model's output is not finite from event ",
          row + 1, " on"));
    }
    CONTINUO_RETURN_IF_ERROR(Report(piece));
    for (size_t i = 0; i < piece.output.examples.size(); ++i, ++next) {
      if (scores[next].overflow_row >= 0) continue;
      ScoreMetrics metrics;
      metrics.Add(*model_.encoder, examples[next], scores[next]);
      summary_.metrics.Add(metrics);
      OrderedJson json = piece.Header();
      json["sequence"] = i;
      json.update(MetricsJson(metrics, options_.classes));
      CONTINUO_RETURN_IF_ERROR(output->Append(Line(json)));
    }
  }
  waiting_.clear();
  waiting_events_ = 0;
  return absl::OkStatus();
}

absl::Status Scoring::NothingScored() const {
  std::string reasons;
  for (const auto& [reason, times] : reasons_) {
    absl::StrAppend(&reasons, "\n  ", times, "  ", reason);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is nothing to score in `input`=",
                   absl::StrJoin(options_.inputs, ","), " (", summary_.pieces,
                   " pieces)", reasons.empty() ? "" : "; dropped:", reasons));
}

absl::StatusOr<ScoreSummary> Scoring::Run() {
  CONTINUO_ASSIGN_OR_RETURN(
      ScoreSources sources,
      ScoreSources::Open(options_.inputs, options_.recursive, options_.share));
  const WorkShare& share = options_.share;
  if (!options_.report.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        report_, AtomicFile::Create(ShareName(options_.report, share)));
  }
  std::unique_ptr<AtomicFile> summary;
  if (!options_.summary.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        summary, AtomicFile::Create(ShareName(options_.summary, share)));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      const std::unique_ptr<AtomicFile> output,
      AtomicFile::Create(ShareName(options_.output, share)));
  const ExampleFormat format = MakeExampleFormat(
      model_.config.encoding,
      model_.config.name.empty() ? "the model" : model_.config.name);
  for (;;) {
    CONTINUO_ASSIGN_OR_RETURN(const std::vector<ScoreSource> part,
                              sources.Next(kSourcesAtOnce));
    if (part.empty()) break;
    std::vector<std::vector<Piece>> pieces(part.size());
    pool_.Run(static_cast<int64_t>(part.size()), [&](int64_t i) {
      pieces[i] = ReadPieces(pipeline_, format, part[i], options_.reading);
    });
    for (std::vector<Piece>& of_source : pieces) {
      for (Piece& piece : of_source) {
        for (const EncodedSequence& example : piece.output.examples) {
          waiting_events_ += example.inputs.rows();
        }
        waiting_.push_back(std::move(piece));
        if (waiting_events_ < kEventsAtOnce) continue;
        CONTINUO_RETURN_IF_ERROR(Flush(output.get()));
      }
    }
  }
  CONTINUO_RETURN_IF_ERROR(Flush(output.get()));
  if (summary_.metrics.sequences == 0 && !share.is_all()) {
    LogWarn(output->path(), ": is empty: of ", share.size,
            " processes this one has nothing to score");
  } else if (summary_.metrics.sequences == 0) {
    if (report_ != nullptr) CONTINUO_RETURN_IF_ERROR(report_->Commit());
    return NothingScored();
  }
  std::vector<AtomicFile*> files = {output.get()};
  if (report_ != nullptr) files.push_back(report_.get());
  if (summary != nullptr) {
    CONTINUO_RETURN_IF_ERROR(summary->Append(SummaryLine()));
    files.push_back(summary.get());
  }
  CONTINUO_RETURN_IF_ERROR(AtomicFile::CommitTogether(files));
  return summary_;
}

std::string Scoring::SummaryLine() const {
  OrderedJson json;
  json["model"] = model_.path;
  json["config"] = model_.config.name;
  json["pieces"] = summary_.pieces;
  json["skipped"] = summary_.skipped;
  json["sequences"] = summary_.metrics.sequences;
  json.update(MetricsJson(summary_.metrics, /*classes=*/true));
  return Line(json);
}

}  // namespace

absl::StatusOr<ScoreSummary> ScoreFiles(const LoadedModel& model,
                                        const DatasetPipeline& pipeline,
                                        const ScoreOptions& options) {
  return Scoring(model, pipeline, options).Run();
}

}  // namespace continuo
