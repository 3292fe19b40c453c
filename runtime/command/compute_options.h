// SPDX-License-Identifier: Apache-2.0

// How to compute, as flags say it.

#ifndef CONTINUO_RUNTIME_COMMAND_COMPUTE_OPTIONS_H_
#define CONTINUO_RUNTIME_COMMAND_COMPUTE_OPTIONS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/device/device.h"

namespace continuo {

// The options of the values of --precision, --rnn_form and --rnn_backend.
absl::StatusOr<ComputeOptions> ParseComputeOptions(absl::string_view precision,
                                                   absl::string_view form,
                                                   absl::string_view backend);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_COMPUTE_OPTIONS_H_
