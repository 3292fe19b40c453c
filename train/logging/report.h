// SPDX-License-Identifier: Apache-2.0

// Reports of a job: console, TensorBoard events, log.jsonl.

#ifndef CONTINUO_TRAIN_LOGGING_REPORT_H_
#define CONTINUO_TRAIN_LOGGING_REPORT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/base/clock.h"
#include "train/logging/event_file.h"
#include "train/logging/json_log.h"
#include "train/logging/metrics.h"

namespace continuo {

// The numbers of one training step.
struct StepReport {
  int64_t step = 0;
  Metrics metrics;
  int heads = 1;             // labels of an event
  double unigram_nats = 0;   // of the training labels, per label
  double gradient_norm = 0;  // global, before clipping
  double learning_rate = 0;
  double events_per_second = 0;  // since the previous report
  double steps_per_second = 0;   // the same; 0 in the first report
  double queue_fill = 0;         // of the batches read ahead, in [0, 1]
  int64_t epoch = 0;
  double elapsed_seconds = 0;  // of training in this invocation
  absl::Duration time_left = absl::InfiniteDuration();  // infinite = unknown
};

// The numbers of one evaluation.
struct EvalReport {
  int64_t step = 0;  // of the checkpoint
  Metrics metrics;
  int heads = 1;
  double unigram_nats = 0;  // of the evaluated labels, per label
  int64_t examples = 0;
  int64_t events = 0;
  double elapsed_seconds = 0;
};

// One line for the console.
std::string ToLine(const StepReport& report);
std::string ToLine(const EvalReport& report);

// A number of any size in a few characters: `digits` after the point, and an
// exponent from a million on.
std::string ShortNumber(double value, int digits);

// "1:02:03"; "unknown" if infinite.
std::string ClockTime(absl::Duration duration);

struct ReporterOptions {
  Clock clock = {};
  // Also the gauges of TensorFlow 1's queues, of which there is one here.
  bool tf1_tags = false;
};

// Writes reports to the files of one folder.
class Reporter {
 public:
  // Appends to the folder's log.jsonl after `last_step`.
  static absl::StatusOr<Reporter> Open(const std::string& dir,
                                       int64_t last_step,
                                       ReporterOptions options = {});

  // For a process that shares a job and leaves the reports to another one.
  static Reporter Silent();

  EventFile& events() { return *events_; }
  absl::Status Write(const StepReport& report);
  absl::Status Write(const EvalReport& report);
  // Syncs all reports so far to disk.
  absl::Status Sync();

 private:
  absl::Status WriteBits(int64_t step, const Metrics& metrics, int heads,
                         double unigram_nats);

  ReporterOptions options_;
  std::unique_ptr<EventFile> events_;
  std::unique_ptr<JsonLog> log_;  // null = silent
};

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_REPORT_H_
