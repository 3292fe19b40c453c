// SPDX-License-Identifier: Apache-2.0

// Training: one run from its data to its checkpoints.

#ifndef CONTINUO_TRAIN_LOOP_TRAINER_H_
#define CONTINUO_TRAIN_LOOP_TRAINER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "models/config/config.h"
#include "models/network/event_rnn.h"
#include "runtime/base/clock.h"
#include "runtime/base/stop.h"
#include "runtime/collective/collective.h"
#include "runtime/device/device.h"
#include "train/logging/event_file.h"
#include "train/loop/periodic_eval.h"
#include "train/loop/resolve_model.h"

namespace continuo {

// Renders what a network generates, one picture a piece. It reads the weights
// only; the same `seed` gives the same draws. Returns early, with what it has,
// once `stop` is set.
using SampleFunction = std::function<absl::StatusOr<std::vector<SummaryImage>>(
    const EventRnn& rnn, const ModelConfig& config, uint64_t seed,
    const StopFlag& stop)>;

struct TrainOptions {
  std::string run_dir;
  std::string sequence_example_file;  // files (data/records/shards.h)
  Family family = Family::kMelody;
  RequestedModel model;
  // A bundle whose weights a new run begins with; empty = random ones. Without
  // effect on a run that exists.
  std::string warm_start_bundle_file = "";
  std::optional<uint64_t> seed;    // none: that of the run, or a random one
  int64_t num_training_steps = 0;  // last global step; 0 = for ever
  int64_t summary_frequency = 10;  // steps between reports
  int num_checkpoints = 10;        // newest ones kept; 0 = all
  absl::Duration save_interval = absl::Seconds(60);
  int64_t save_steps = 0;  // also save every N steps; 0 = off
  absl::Duration max_time = absl::InfiniteDuration();  // of training
  // The ranks that train together, each with the same options but for this;
  // null = one process. It must outlive the training.
  Collective* collective = nullptr;
  // Ranks but the first append their log lines to <run_dir>/train/rank-N.log.
  bool rank_logs = false;
  // That a batch is cut into, to be computed by the ranks, each its share one
  // after another. None: as many as the run has; of a new run the number of
  // ranks, rounded up to a power of two.
  std::optional<int> micro_batches = std::nullopt;
  Reduction reduction = Reduction::kExact;
  PeriodicEvalOptions eval = {};    // off unless every_steps is set
  int64_t sample_every_steps = 0;   // pictures for TensorBoard; 0 = none
  SampleFunction sample = nullptr;  // needed for them
  bool self_check = false;          // compare the device with the CPU first
  bool tf1_tags = false;            // ReporterOptions
  std::string command_line = "";    // for TensorBoard's Text tab
  Clock clock = {};
};

// Why a training ended; its state is saved in each case.
enum class TrainEnd { kSteps, kTime, kStopped, kNoImprovement };

struct TrainResult {
  TrainEnd end = TrainEnd::kSteps;
  int64_t global_step = 0;
  std::string checkpoint;  // prefix of the last one
};

// Trains on the device of `stream` until the last step, the time limit or
// `stop`. Resumes the run in `run_dir`, bit for bit as if it had never stopped.
// Nothing is written before data, model and the run's earlier state are
// validated. Aborted if the loss or the gradient is
// not finite, or the loss stays far above that of a guess without context
// (train/loop/divergence.h); the checkpoints on disk are then from before.
// After any other failure the state is saved.
//
// Several ranks train as one process does, with the same bits however many they
// are (but with Reduction::kLibrary); the first one writes the files of the
// run. What one of them sees (a stop, an error) ends all at the same step.
// Where one fails the others do too, and nothing more is saved: the last
// checkpoint is whole, and any number of ranks can resume from it.
absl::StatusOr<TrainResult> Train(const TrainOptions& options,
                                  const Stream& stream, const StopFlag& stop);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_TRAINER_H_
