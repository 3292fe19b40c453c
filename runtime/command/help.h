// SPDX-License-Identifier: Apache-2.0

// The text of --help: what a command does, and its flags in groups, the most
// important ones first.

#ifndef CONTINUO_RUNTIME_COMMAND_HELP_H_
#define CONTINUO_RUNTIME_COMMAND_HELP_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/strings/string_view.h"

namespace continuo {

enum class HelpLevel {
  kRequired,  // in every help text; the command does not run without these
  kCommon,    // in every help text
  kMore,      // in --help=all
};

// Flags under one heading.
struct HelpGroup {
  std::string title;
  HelpLevel level = HelpLevel::kMore;
  // "name" or "name=VALUE", where VALUE stands for the value in the help text
  // (by default the flag's type does). Names of flags that the command does not
  // have are passed over, so that commands of a kind share a table.
  std::vector<std::string> flags;
};

// The help of a command.
struct CommandHelp {
  // What it does, with examples; shown as it is.
  std::string about;
  // A part of the path of the files that define its flags
  // ("data/commands/convert_main.cc", or "data/create_dataset_" for several).
  std::string own_file;
  // In the order in which they are shown. Own flags that no group names are
  // shown last, under "Other".
  std::vector<HelpGroup> groups;
  // Shown behind the flags: "Exit status: ...".
  std::string after;
  std::vector<std::string> see_also = {};  // other commands
  // Flags accepted for compatibility, without effect; not shown in help.
  std::vector<std::string> unused = {};
  // What a flag's value counts, for the message about a wrong one:
  // {"num_steps", "steps of 10 ms: 3000 are 30 s"}.
  std::vector<std::pair<std::string, std::string>> units = {};
};

// Whether a flag defined in the file `path` is one of the command's: its own
// files, or those that commands share, *_flags.cc.
bool IsOwnFile(absl::string_view path, const CommandHelp& help);

// Whether the flag's values are whole numbers.
bool IsWholeNumberFlag(const absl::CommandLineFlag& flag);

// The names of the command's flags, sorted.
std::vector<std::string> OwnFlags(const CommandHelp& help);

// The help text. `topic` is "" for the flags one needs first, "all" for all of
// them, or a word: flags that have it in their name or in their group's title.
std::string HelpText(const CommandHelp& help, absl::string_view topic);

// `text` in lines of at most 80 characters that begin with `indent` spaces.
std::string WrapText(absl::string_view text, int indent);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_HELP_H_
