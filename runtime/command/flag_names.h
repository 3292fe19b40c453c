// SPDX-License-Identifier: Apache-2.0

// Fields of options under the names that they have on a command line. Messages
// of libraries put a field into backquotes, "`num_steps`=0: must be at least
// 1", and know nothing of flags.

#ifndef CONTINUO_RUNTIME_COMMAND_FLAG_NAMES_H_
#define CONTINUO_RUNTIME_COMMAND_FLAG_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace continuo {

// `message` with the flags in place of the fields that a library names in
// backquotes: "`num_steps`=5" becomes "--num_steps=5", "`self_check`=false"
// becomes "--noself_check". What else is in backquotes stays.
std::string NameFlags(absl::string_view message);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_FLAG_NAMES_H_
