// SPDX-License-Identifier: Apache-2.0

// DatasetPipeline: how one NoteSequence becomes training examples. One file
// per family implements it (data/events/dataset/melody_pipeline.h).
// data/events/dataset/dataset_builder.h reads the input, draws the evaluation
// set and writes the files.

#ifndef CONTINUO_DATA_EVENTS_DATASET_PIPELINE_H_
#define CONTINUO_DATA_EVENTS_DATASET_PIPELINE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/events/dataset/fingerprint.h"
#include "data/events/dataset/statistics.h"
#include "data/events/encoder_table.h"
#include "data/proto/music.pb.h"
#include "data/records/sparse_rows.h"

namespace continuo {

enum class DatasetPart { kTraining, kEval };

// "training" or "eval", as in file and statistic names.
absl::string_view DatasetPartName(DatasetPart part);

// A reason to discard, not a statistic of Magenta: there is nothing to extract
// from.
inline constexpr char kNoNotes[] = "no_notes";

// What became of one NoteSequence.
struct PipelineOutput {
  std::vector<EncodedSequence> examples;
  // What was dropped and how often: counter names without their
  // stage, plus reasons that Magenta does not count.
  std::map<std::string, int64_t> discarded;
  std::vector<std::string> details;  // messages that explain some of these

  void Discard(absl::string_view reason, int64_t times);
  void Clear();
};

// Stateless and safe to share between threads.
class DatasetPipeline {
 public:
  virtual ~DatasetPipeline() = default;

  // What the files hold: "melodies" for training_melodies.tfrecord.
  virtual absl::string_view outputs_name() const = 0;
  // What its examples are encoded with.
  virtual const EncodingSpec& encoding() const = 0;

  // Turns `sequence` (which it may change) into examples of `part`. Statistics
  // are added to `statistics` under Magenta's names, and nothing is counted
  // twice. An error means a defect, never a bad sequence.
  virtual absl::Status Run(DatasetPart part,
                           tensorflow::magenta::NoteSequence* sequence,
                           Statistics* statistics,
                           PipelineOutput* output) const = 0;

  // The fingerprint by which duplicates are found.
  virtual Fingerprint FingerprintOf(
      const tensorflow::magenta::NoteSequence& sequence) const = 0;

  // How to fix sequences dropped for `reason`.
  virtual std::string Remedy(absl::string_view reason) const = 0;
};

// "DAGPipeline_<stage>_<part>_<name>".
std::string StatisticName(absl::string_view stage, DatasetPart part,
                          absl::string_view name);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_PIPELINE_H_
