// SPDX-License-Identifier: Apache-2.0

// Checks of flag values that several commands make.

#ifndef CONTINUO_RUNTIME_COMMAND_FLAG_CHECKS_H_
#define CONTINUO_RUNTIME_COMMAND_FLAG_CHECKS_H_

#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace continuo {

// InvalidArgument that names the flag unless value >= least.
template <typename T>
absl::Status CheckAtLeast(absl::string_view flag, T value,
                          std::type_identity_t<T> least) {
  // Written so that a number that is none fails too.
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", value, ": must be at least ", least));
}

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_FLAG_CHECKS_H_
