// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/command_line.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "absl/flags/parse.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "runtime/base/log.h"
#include "runtime/base/log_rewriter.h"
#include "runtime/base/process.h"
#include "runtime/command/flag_errors.h"
#include "runtime/command/flag_names.h"
#include "runtime/command/protobuf_log.h"
#include "runtime/device/version.h"

namespace continuo {
namespace {

// What help is asked for, as HelpText's topic, by a word of the command line.
std::optional<std::string> HelpTopic(const FlagWord& word) {
  const absl::string_view name = word.name;
  if (name == "helpfull") return "all";
  if (name == "helpmatch" || name == "helpon" || name == "help") {
    return word.value == nullptr ? "" : word.value;
  }
  if (name == "h" || name == "helpshort" || name == "helppackage") return "";
  if (name == "help-all" || name == "help_all") return "all";
  return std::nullopt;
}

[[noreturn]] void PrintAndExit(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
      std::fflush(stdout) == 0;
  std::exit(written ? 0 : 1);
}

[[noreturn]] void Fail(const absl::Status& status) {
  LogError(status.message());
  std::exit(1);
}

void AnswerHelpAndVersion(absl::Span<char* const> args,
                          const CommandHelp& help) {
  for (size_t i = 0; i < args.size();) {
    if (absl::string_view(args[i]) == "--") return;
    const FlagWord word = ParseFlagWord(args, i);
    if (const auto topic = HelpTopic(word); topic.has_value()) {
      PrintAndExit(HelpText(help, *topic));
    }
    if (word.name == "version") PrintAndExit(VersionText() + "\n");
    i += word.words;
  }
}

}  // namespace

std::vector<std::string> ParseFlagsAndWords(int argc, char** argv,
                                            const CommandHelp& help) {
  PrepareProcess();
  SilenceProtobuf();
  SetLogRewriter(NameFlags);
  const auto args =
      absl::Span<char* const>(argv, static_cast<size_t>(argc)).subspan(1);
  AnswerHelpAndVersion(args, help);
  if (const absl::Status status = CheckFlags(args, help); !status.ok()) {
    Fail(status);
  }
  // Abseil's own help is never asked for; a wrong line of a --flagfile makes it
  // speak all the same.
  absl::SetFlagsUsageConfig({});
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  return {rest.begin() + 1, rest.end()};
}

void ParseFlags(int argc, char** argv, const CommandHelp& help) {
  if (argc == 2 && absl::string_view(argv[1]) == "help") {
    PrepareProcess();
    PrintAndExit(HelpText(help, ""));
  }
  const std::vector<std::string> words = ParseFlagsAndWords(argc, argv, help);
  if (!words.empty()) {
    Fail(StrayWordError(
        absl::Span<char* const>(argv, static_cast<size_t>(argc)), words[0]));
  }
  if (const absl::Status status = CheckRequired(help); !status.ok()) {
    Fail(status);
  }
}

int RunCommand(int argc, char** argv, const CommandHelp& help,
               absl::FunctionRef<absl::Status()> run) {
  ParseFlags(argc, argv, help);
  const absl::Status status = run();
  if (status.ok()) return 0;
  LogError(status.message());
  return absl::IsCancelled(status) ? 130 : 1;
}

}  // namespace continuo
