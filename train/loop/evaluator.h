// SPDX-License-Identifier: Apache-2.0

// Evaluation: the loss of checkpoints on data that is not trained on.

#ifndef CONTINUO_TRAIN_LOOP_EVALUATOR_H_
#define CONTINUO_TRAIN_LOOP_EVALUATOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "data/events/encoding/event_encoder.h"
#include "data/records/dataset.h"
#include "models/config/config.h"
#include "models/network/event_rnn.h"
#include "runtime/base/clock.h"
#include "runtime/base/stop.h"
#include "runtime/base/threads.h"
#include "runtime/collective/collective.h"
#include "runtime/device/device.h"
#include "train/logging/metrics.h"
#include "train/logging/report.h"
#include "train/loop/resolve_model.h"

namespace continuo {

struct EvalOptions {
  std::string run_dir;
  std::string sequence_example_file;  // files (data/records/shards.h)
  Family family = Family::kMelody;
  RequestedModel model;
  int64_t num_eval_examples = 0;  // the first ones in file order; 0 = all
  bool dropout = false;           // as Magenta has it
  bool once = false;              // the newest checkpoint, then done
  absl::Duration poll = absl::Seconds(1);       // between looks for checkpoints
  absl::Duration interval = absl::Seconds(60);  // between evaluation starts
  absl::Duration timeout = absl::Seconds(300);  // without a new checkpoint
  absl::Duration reminder = absl::Seconds(30);  // between lines while waiting
  std::string command_line = "";                // for TensorBoard's Text tab
  Clock clock = {};
};

// Follows `run_dir`/train: evaluates its newest checkpoint as new ones appear,
// each at most once, until none has appeared for the time-out or `stop`.
// DeadlineExceeded if none has appeared at all; with `once`, NotFound if there
// is none yet. Writes nothing before the first one.
absl::Status FollowCheckpoints(const EvalOptions& options, const Stream& stream,
                               const StopFlag& stop);

// The examples of an evaluation.
struct EvalData {
  std::unique_ptr<Dataset> dataset;
  int64_t num_examples = 0;  // the first ones, in file order
};

// Opens a data set to evaluate `num_eval_examples` of (0 = all); warns if it
// has fewer.
absl::StatusOr<EvalData> OpenEvalData(absl::string_view pattern,
                                      int64_t num_eval_examples,
                                      const ExampleFormat& format,
                                      ThreadPool* pool);

struct EvalSums {
  LossSums sums;
  int64_t time_steps = 0;
  int64_t examples = 0;
};

// The first `num_examples` examples in file order, each once, in batches of
// `batch_size` and a smaller last one. `dropout.step` counts the batches. The
// ranks of `collective` (null = one process) share the batches; all get the
// sums of all, the same that one would. Cancelled between two batches if `stop`
// says so on any rank.
absl::StatusOr<EvalSums> EvaluateDataset(
    const Dataset& dataset, const EventEncoder& encoder, int64_t num_examples,
    int batch_size, DropoutSpec dropout, const StopFlag& stop,
    EventRnnTrainer* trainer, Collective* collective = nullptr);

// The same as the report of the weights of `step`.
absl::StatusOr<EvalReport> EvaluateAt(int64_t step, const EvalData& data,
                                      const EventEncoder& encoder,
                                      int batch_size, DropoutSpec dropout,
                                      const StopFlag& stop,
                                      EventRnnTrainer* trainer,
                                      Collective* collective = nullptr);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_EVALUATOR_H_
