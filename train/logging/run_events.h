// SPDX-License-Identifier: Apache-2.0

// TensorBoard data of a run besides its curves: the Text tab and the table of
// hyperparameters.

#ifndef CONTINUO_TRAIN_LOGGING_RUN_EVENTS_H_
#define CONTINUO_TRAIN_LOGGING_RUN_EVENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/records/dataset.h"
#include "models/config/run_config.h"
#include "runtime/base/clock.h"
#include "train/logging/event_file.h"

namespace continuo {

// What a session of a job works with.
struct SessionFacts {
  RunConfig config;
  std::string device;        // where it computes
  std::string command_line;  // empty = none (a test)
  struct Data {
    std::string use;      // "training"
    std::string pattern;  // as it was given
    const Dataset* dataset;
  };
  std::vector<Data> data;
};

// Settings, data, command line and version as texts of `step`.
absl::Status WriteTexts(int64_t step, const SessionFacts& facts,
                        EventFile* events);

// The row of a training in the HParams tab, whose columns are the
// hyperparameters and the last losses in this folder.
absl::Status WriteHparams(const RunConfig& config, const Clock& clock,
                          EventFile* events);

// The end of the run.
absl::Status WriteSessionEnd(const Clock& clock, EventFile* events);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_RUN_EVENTS_H_
