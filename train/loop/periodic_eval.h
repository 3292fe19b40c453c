// SPDX-License-Identifier: Apache-2.0

// Evaluation during training: every N steps, with the weights that are
// in memory.

#ifndef CONTINUO_TRAIN_LOOP_PERIODIC_EVAL_H_
#define CONTINUO_TRAIN_LOOP_PERIODIC_EVAL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/events/encoding/event_encoder.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/config.h"
#include "models/config/run_config.h"
#include "models/network/event_rnn.h"
#include "runtime/base/stop.h"
#include "runtime/base/threads.h"
#include "runtime/collective/collective.h"
#include "train/checkpoints/checkpoint_manager.h"
#include "train/checkpoints/train_state.h"
#include "train/logging/report.h"
#include "train/loop/evaluator.h"

namespace continuo {

struct PeriodicEvalOptions {
  int64_t every_steps = 0;            // 0 = never; nothing else counts then
  std::string sequence_example_file;  // files (data/records/shards.h)
  int64_t num_examples = 0;           // the first ones in file order; 0 = all
  bool keep_best = false;
  int64_t early_stopping_evals = 0;  // without improvement; 0 = never stop
};

// The folder of the checkpoint with the lowest evaluation loss.
std::string BestDir(const std::string& run_dir);

// The evaluations of one training. Results go to `history`, which is stored in
// checkpoints, so that a resumed run judges as if it had never
// stopped.
class PeriodicEval {
 public:
  // Reads and checks the data; writes nothing.
  static absl::StatusOr<std::unique_ptr<PeriodicEval>> Open(
      const PeriodicEvalOptions& options, const EventEncoder& encoder,
      const ModelConfig& model, ThreadPool* pool);

  const Dataset& dataset() const { return *data_.dataset; }

  // The most events a batch of `rows` has, for the memory plan of the trainer
  // that it shares.
  int64_t MaxEvents(int rows) const;

  // Opens the files in `run_dir` for a training that stands at `step`; of
  // several ranks, whose `collective` is given, only the first one's.
  absl::Status Begin(const std::string& run_dir, const RunConfig& config,
                     int64_t step, const ReporterOptions& reporting,
                     Collective* collective = nullptr);

  bool Due(int64_t step) const { return step % options_.every_steps == 0; }

  struct Outcome {
    double loss = 0;
    // No earlier loss was as low, and it is at most `limit`.
    bool is_best = false;
  };

  // Evaluates and reports. `limit` is the loss of a network that has diverged
  // (train/loop/divergence.h). Cancelled, with nothing changed, if `stop` ends
  // it early.
  absl::StatusOr<Outcome> Evaluate(int64_t step, double limit,
                                   const StopFlag& stop,
                                   EventRnnTrainer* trainer,
                                   EvalHistory* history);

  // Syncs all reports so far to disk.
  absl::Status Sync() { return reporter_->Sync(); }

  bool keep_best() const { return options_.keep_best; }
  // Replaces the checkpoint in BestDir; on the first rank.
  absl::Status SaveBest(int64_t step, const TensorMap& tensors);

  // Whether early stopping applies.
  bool GivenUp(const EvalHistory& history) const {
    return options_.early_stopping_evals > 0 &&
           history.evals_since_best >= options_.early_stopping_evals;
  }

 private:
  PeriodicEval(const PeriodicEvalOptions& options, const EventEncoder* encoder)
      : options_(options), encoder_(encoder) {}

  PeriodicEvalOptions options_;
  const EventEncoder* encoder_;
  EvalData data_;
  int batch_size_ = 0;
  Collective* collective_ = nullptr;
  std::optional<Reporter> reporter_;
  std::optional<CheckpointManager> best_;
};

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_PERIODIC_EVAL_H_
