// SPDX-License-Identifier: Apache-2.0

// What a training checkpoint holds, to and from named tensors.

#ifndef CONTINUO_TRAIN_CHECKPOINTS_TRAIN_STATE_H_
#define CONTINUO_TRAIN_CHECKPOINTS_TRAIN_STATE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/batch_stream.h"
#include "models/checkpoint/checkpoint.h"
#include "models/network/event_rnn.h"

namespace continuo {

// What the evaluations inside a training have found.
struct EvalHistory {
  int64_t best_step = 0;  // of the lowest loss, the first such; 0 = no
                          // evaluation yet
  float best_loss = 0;
  int64_t evals_since_best = 0;
};

// Everything that decides the rest of a training besides weights and slots.
// Random numbers are functions of the run's seed, the step and the position.
struct TrainState {
  int64_t global_step = 0;   // updates made
  int64_t num_examples = 0;  // of the data set `position` belongs to
  DataPosition position;
  EvalHistory history;
  // The evaluation of this step was interrupted, and is to be made.
  bool eval_pending = false;
  float divergence = 0;  // evidence of it (train/loop/divergence.h)
};

// All tensors of a checkpoint: weights, Adam slots, beta powers and global_step
// as Magenta names them, and "continuo/..." for the data position and the
// evaluations, which Magenta ignores.
absl::StatusOr<TensorMap> ExportState(const EventRnn& rnn,
                                      const EventRnnTrainer& trainer,
                                      const TrainState& state);

// The tensors of a checkpoint of a run, those of older releases of Magenta
// under the names of the current graphs
// (models/model_file/tf_variable_names.h).
absl::StatusOr<TensorMap> ReadRunCheckpoint(const std::string& prefix);

// Weights only, as evaluation and generation need them; `where` names the
// checkpoint in messages. Returns its global step.
absl::StatusOr<int64_t> ImportWeights(const TensorMap& tensors,
                                      absl::string_view where, EventRnn* rnn);

// Everything. A checkpoint of Magenta has no data position: it is taken from
// the number of steps at `batch_size` examples each. If the data set has
// a different number of examples than before, training starts a new epoch.
absl::StatusOr<TrainState> ImportState(const TensorMap& tensors,
                                       absl::string_view where,
                                       int64_t num_examples, int batch_size,
                                       EventRnn* rnn, EventRnnTrainer* trainer);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_CHECKPOINTS_TRAIN_STATE_H_
