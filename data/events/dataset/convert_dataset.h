// SPDX-License-Identifier: Apache-2.0

// Data sets from one form into the other: SequenceExamples and compact records.

#ifndef CONTINUO_DATA_EVENTS_DATASET_CONVERT_DATASET_H_
#define CONTINUO_DATA_EVENTS_DATASET_CONVERT_DATASET_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/events/dataset/record_maker.h"
#include "data/events/encoder_table.h"
#include "runtime/base/threads.h"

namespace continuo {

struct ConvertDatasetOptions {
  std::vector<std::string> inputs;  // TFRecord files of training examples
  std::string output_dir;           // gets a file of the same name for each
  DatasetFormat format = DatasetFormat::kCompact;  // of the output
  // What the examples are encoded with. SequenceExamples do not say; compact
  // records do.
  std::optional<EncodingSpec> encoding = std::nullopt;
  std::string config = "`config`";          // who says so, for messages
  const std::atomic<bool>* stop = nullptr;  // set to end early
};

struct ConvertDatasetSummary {
  int64_t examples = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  std::vector<std::string> files;  // written
};

// Writes each example in the form wanted, whichever it has: the bytes that a
// *_create_dataset command writes in that form. Files appear when all are
// complete. InvalidArgument for a missing or wrong encoding, for an output that
// would replace its input, and for SequenceExamples of other inputs than the
// encoding makes of the labels, which have no compact form; DataLoss for
// damaged files; each names file and record.
absl::Status ConvertDataset(const ConvertDatasetOptions& options,
                            ThreadPool* pool, ConvertDatasetSummary* summary);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_CONVERT_DATASET_H_
