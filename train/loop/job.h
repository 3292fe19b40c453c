// SPDX-License-Identifier: Apache-2.0

// One training job: everything it needs, prepared before anything is written.

#ifndef CONTINUO_TRAIN_LOOP_JOB_H_
#define CONTINUO_TRAIN_LOOP_JOB_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "data/events/encoding/event_encoder.h"
#include "data/records/dataset.h"
#include "data/records/micro_batches.h"
#include "models/config/run_config.h"
#include "models/model_file/model_file.h"
#include "models/network/event_rnn.h"
#include "runtime/device/device.h"
#include "train/checkpoints/train_state.h"
#include "train/loop/periodic_eval.h"
#include "train/loop/trainer.h"

namespace continuo {

struct Job {
  TrainOptions options;
  RunConfig config;
  std::string dir;  // <run_dir>/train
  std::unique_ptr<EventEncoder> encoder;
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<PeriodicEval> eval;  // null = no evaluation
  std::unique_ptr<EventRnn> rnn;
  std::unique_ptr<EventRnnTrainer> trainer;
  TrainState state;
  // What the last step was made with; empty before the first.
  BatchPart last_batch;
  std::optional<ModelFile> warm_start;  // what a new run begins with
  std::string restored_from;  // prefix of the checkpoint; empty = new run
  std::string latest;  // the newest, which may be another if it is damaged
};

// Reads the data and whatever the run folder holds, and makes or restores the
// network. Writes nothing. All ranks do so, and compare what they have:
// FailedPrecondition that names what is not the same.
absl::StatusOr<Job> PrepareJob(const TrainOptions& options,
                               const Stream& stream);

// The time by the clock for intervals.
inline absl::Duration Now(const Job& job) {
  return job.options.clock.monotonic();
}

// What this rank computes of each batch.
inline GradientShare ShareOf(const Job& job) {
  return {.micro_batches = job.config.micro_batches,
          .collective = job.options.collective,
          .reduction = job.options.reduction};
}

// The loss above which the run has diverged (train/loop/divergence.h).
double DivergedLoss(const Job& job);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_JOB_H_
