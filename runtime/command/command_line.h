// SPDX-License-Identifier: Apache-2.0

// The command line of every command: Abseil flags, with help in groups and
// errors that name the remedy.

#ifndef CONTINUO_RUNTIME_COMMAND_COMMAND_LINE_H_
#define CONTINUO_RUNTIME_COMMAND_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "runtime/command/help.h"

namespace continuo {

// Sets the process up (runtime/base/process.h) and parses the flags. Ends the
// program with status 0 after --help, --help=all, --help=WORD (also -h and
// help) and --version; with status 1 for an unknown flag, a value that does not
// parse, missing flags of a required group, or a word that belongs to no flag.
void ParseFlags(int argc, char** argv, const CommandHelp& help);

// The same for commands that take words without a flag (file names): returns
// them instead.
std::vector<std::string> ParseFlagsAndWords(int argc, char** argv,
                                            const CommandHelp& help);

// A whole command without words: parses the flags, calls `run` and logs its
// error. Returns the exit status: 0, 1 after an error, 130 if it was cancelled
// (Ctrl-C), as shells say it.
int RunCommand(int argc, char** argv, const CommandHelp& help,
               absl::FunctionRef<absl::Status()> run);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_COMMAND_LINE_H_
