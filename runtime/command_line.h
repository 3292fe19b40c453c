// The command line of every command: Abseil flags, with help that shows the
// command's own flags and errors that suggest the nearest one.

#ifndef CONTINUO_RUNTIME_COMMAND_LINE_H_
#define CONTINUO_RUNTIME_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace continuo {

// InvalidArgument for the first word of `args` (without the program's name)
// that names a flag this program does not define; the message suggests the
// nearest one of those that `own_file` (a part of its path) defines.
absl::Status CheckFlagNames(absl::Span<char* const> args,
                            absl::string_view own_file);

// Sets the process up (runtime/process.h) and parses the flags. `usage` explains the program, `own_file` is a part of the
// path of the files that define its flags ("data/convert_main.cc", or
// "data/create_dataset_" for several), which are those that --help shows. Ends
// the program with status 1 for an unknown flag, a value that does not parse or
// a word that belongs to no flag.
void ParseFlags(int argc, char** argv, absl::string_view usage,
                absl::string_view own_file);

// The same for commands that take words without a flag (file names): returns
// them instead.
std::vector<std::string> ParseFlagsAndWords(int argc, char** argv,
                                            absl::string_view usage,
                                            absl::string_view own_file);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_LINE_H_
