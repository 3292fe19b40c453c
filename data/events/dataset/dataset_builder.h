// SPDX-License-Identifier: Apache-2.0

// The driver of every *_create_dataset: reads NoteSequence records, runs a
// pipeline over them on all threads, and writes the training and evaluation
// files.

#ifndef CONTINUO_DATA_EVENTS_DATASET_DATASET_BUILDER_H_
#define CONTINUO_DATA_EVENTS_DATASET_DATASET_BUILDER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/events/dataset/pipeline.h"
#include "data/events/dataset/record_maker.h"
#include "data/events/dataset/statistics.h"
#include "runtime/base/threads.h"
#include "runtime/base/work_share.h"
#include "runtime/files/disk_space.h"

namespace continuo {

struct DatasetOptions {
  std::vector<std::string> inputs;  // TFRecord files of NoteSequences
  std::string output_dir;           // created if missing
  // A sequence goes to the evaluation set if its draw is below the ratio.
  double eval_ratio = 0.1;
  // The draw, uniform in [0, 1), of the sequence with this index over all
  // inputs. A pure function; called from several threads.
  std::function<double(int64_t index)> draw;
  int num_shards = 1;  // files per set, "name-00000-of-00008"
  // Instead, of several processes with the same other options, this one: each
  // handles every size-th sequence and writes one shard of each set, and the
  // rest of `report`. Together they write the examples that one process writes,
  // in the same sets.
  WorkShare share = {};
  DatasetFormat format = DatasetFormat::kMagenta;
  // Leaves out copies of earlier sequences, and keeps sequences that are alike
  // (data/events/dataset/duplicates.h) in one set, by the draw of the first of
  // them.
  bool dedup = false;
  std::string report;  // path of a file of JSON lines; empty = none
  // The free space of a folder, which a data set that will need much of it is
  // warned about.
  std::optional<int64_t> (*free_bytes)(const std::string&) = FreeDiskSpace;
  const std::atomic<bool>* stop = nullptr;  // set to end early
};

// Of several processes, what this one has done.
struct DatasetSummary {
  int64_t sequences = 0;
  int64_t training_examples = 0;
  int64_t eval_examples = 0;
  int64_t training_bytes = 0;
  int64_t eval_bytes = 0;
  Statistics statistics;
  // Over all sequences, by reason (PipelineOutput::discarded).
  std::map<std::string, int64_t> discarded;
  std::vector<std::string> files;  // written
};

// How to fix sequences dropped for `reason`.
std::string DiscardRemedy(const DatasetPipeline& pipeline,
                          absl::string_view reason);

// Builds the data set. Files and their order depend on the inputs, the draws
// and the number of shards alone, not on threads; the memory needed depends on
// the longest sequences, not on their number (with `dedup`: and 0.6 kB each).
// Files appear when all are
// complete; on any error none does (but the report, once everything was read).
// DataLoss for damaged inputs, ResourceExhausted for a full disk,
// FailedPrecondition with the counted reasons and a remedy if nothing came out
// (one of several processes writes empty files then),
// Cancelled after `stop`; `summary` is filled as far as it got.
absl::Status BuildDataset(const DatasetPipeline& pipeline,
                          const DatasetOptions& options, ThreadPool* pool,
                          DatasetSummary* summary);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_DATASET_BUILDER_H_
