// SPDX-License-Identifier: Apache-2.0

// Errors of command lines, in messages that name the remedy.

#ifndef CONTINUO_RUNTIME_COMMAND_FLAG_ERRORS_H_
#define CONTINUO_RUNTIME_COMMAND_FLAG_ERRORS_H_

#include "absl/flags/commandlineflag.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/command/help.h"

namespace continuo {

// A word of a command line, as Abseil parses it.
struct FlagWord {
  absl::string_view name;  // without dashes; empty: a word that is no flag
  // The flag of that name ("noname" too, for booleans), or null.
  absl::CommandLineFlag* flag = nullptr;
  // Behind "=", or the next word; null where there is none.
  const char* value = nullptr;
  size_t words = 1;  // taken: 2 if the value is a word of its own
};
FlagWord ParseFlagWord(absl::Span<char* const> args, size_t index);

// InvalidArgument for the first word of `args` (without the program's name)
// that names no flag of this program or gives one a value of the wrong type.
// An unknown name is answered with the nearest one, or with all that begin with
// a single letter; names in --undefok pass. A list without quotes, which the
// shell has cut in pieces, is shown with them. Sets the flags it has looked at.
absl::Status CheckFlags(absl::Span<char* const> args, const CommandHelp& help);

// The error for a word that belongs to no flag.
absl::Status StrayWordError(absl::Span<char* const> args,
                            absl::string_view word);

// InvalidArgument that names all flags of the required groups that have no
// value, if two or more do (what one of them is for, the command says best).
absl::Status CheckRequired(const CommandHelp& help);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_FLAG_ERRORS_H_
