// SPDX-License-Identifier: Apache-2.0

// --self_check, one flag with the default that each command wants.

#ifndef CONTINUO_RUNTIME_COMMAND_SELF_CHECK_FLAG_H_
#define CONTINUO_RUNTIME_COMMAND_SELF_CHECK_FLAG_H_

#include "absl/flags/flag.h"

#define CONTINUO_SELF_CHECK_FLAG(initial)                                     \
  ABSL_FLAG(bool, self_check, initial,                                        \
            "Before computing on a CUDA device, compare its operations with " \
            "the CPU's on small problems and refuse to begin if they "        \
            "differ. Takes about a second.")

#endif  // CONTINUO_RUNTIME_COMMAND_SELF_CHECK_FLAG_H_
