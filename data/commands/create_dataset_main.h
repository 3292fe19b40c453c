// SPDX-License-Identifier: Apache-2.0

// The common part of the *_create_dataset commands. Each has its own main
// (melody_create_dataset_main.cc and its kin) with the flags that only it has.

#ifndef CONTINUO_DATA_COMMANDS_CREATE_DATASET_MAIN_H_
#define CONTINUO_DATA_COMMANDS_CREATE_DATASET_MAIN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/events/dataset/pipeline.h"

namespace continuo {

// Where one command differs. The functions are called once the flags are
// parsed.
struct CreateDatasetCommand {
  std::string about;  // the explanation that --help shows
  std::string train;  // the command that comes next: "melody_rnn_train"
  // The pipeline that the command's own flags describe. An error names the
  // flag and the valid values.
  absl::StatusOr<std::unique_ptr<DatasetPipeline>> (*make_pipeline)();
  // These flags as "name=value name=value", for the log.
  std::string (*flags)();
};

// The whole command; returns the exit status.
int CreateDatasetMain(int argc, char** argv,
                      const CreateDatasetCommand& command);

}  // namespace continuo

#endif  // CONTINUO_DATA_COMMANDS_CREATE_DATASET_MAIN_H_
