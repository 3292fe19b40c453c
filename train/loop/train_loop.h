// SPDX-License-Identifier: Apache-2.0

// The steps of a training, one after another.

#ifndef CONTINUO_TRAIN_LOOP_TRAIN_LOOP_H_
#define CONTINUO_TRAIN_LOOP_TRAIN_LOOP_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/base/stop.h"
#include "train/logging/report.h"
#include "train/loop/job.h"
#include "train/loop/saver.h"
#include "train/loop/trainer.h"

namespace continuo {

// Trains until a reason to end, which is logged. On any error the state after
// the last whole step is saved before the error is returned, unless the state
// itself is invalid.
absl::StatusOr<TrainResult> RunTrainLoop(Job& job, Saver& saver,
                                         Reporter& reporter,
                                         const StopFlag& stop);

// Whether early stopping applies, and the message for it.
bool GivenUp(const Job& job);
std::string BestText(const EvalHistory& history);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_TRAIN_LOOP_H_
