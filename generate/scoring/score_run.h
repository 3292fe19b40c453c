// SPDX-License-Identifier: Apache-2.0

// One run of a score command: all inputs read, scored and reported.

#ifndef CONTINUO_GENERATE_SCORING_SCORE_RUN_H_
#define CONTINUO_GENERATE_SCORING_SCORE_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/events/dataset/pipeline.h"
#include "data/notes/reading.h"
#include "generate/model/load_model.h"
#include "generate/scoring/score_metrics.h"
#include "runtime/base/work_share.h"

namespace continuo {

struct ScoreOptions {
  std::vector<std::string> inputs;  // files, patterns or folders
  bool recursive = false;
  ReadOptions reading;
  std::string output;    // JSON lines; "-" = standard output
  std::string summary;   // one JSON object over all sequences; empty = none
  std::string report;    // JSON lines, one per file, tune or record; or empty
  bool classes = false;  // counts of each class in every line of the output
  // Sequences in a batch at once, 0 = as generate/output/generate_files.h; no
  // result depends on it.
  int batch_rows = 0;
  // Of several processes with the same other options, this one: each scores
  // every size-th file or record, and writes a part of each file.
  WorkShare share = {};
};

// Of several processes, what this one has done.
struct ScoreSummary {
  ScoreMetrics metrics;
  int64_t pieces = 0;   // files, tunes or records
  int64_t skipped = 0;  // of these, without anything to score
};

// Extracts sequences from the inputs with `pipeline` (as its evaluation part),
// scores them in batches and writes one line for each, in order. What cannot be
// read or holds nothing to score is logged, reported and passed over.
// InvalidArgument with the reasons counted if nothing is left (no output
// appears then, the report does; one of several processes writes an empty one);
// DataLoss for a damaged TFRecord.
absl::StatusOr<ScoreSummary> ScoreFiles(const LoadedModel& model,
                                        const DatasetPipeline& pipeline,
                                        const ScoreOptions& options);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_SCORING_SCORE_RUN_H_
