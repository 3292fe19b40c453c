#include "runtime/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/edit_distance.h"
#include "runtime/log.h"
#include "runtime/process.h"

namespace continuo {
namespace {

// Flags that Abseil handles without registering them (in some releases).
bool IsBuiltIn(absl::string_view name) {
  constexpr absl::string_view kNames[] = {
      "help",      "helpfull", "helpmatch", "helpon",         "helppackage",
      "helpshort", "version",  "undefok",   "only_check_args"};
  return std::find(std::begin(kNames), std::end(kNames), name) !=
         std::end(kNames);
}

// The flag a word such as "--name" or "-noname" speaks of, or null.
const absl::CommandLineFlag* FindFlag(absl::string_view name) {
  const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
  if (flag != nullptr || !absl::ConsumePrefix(&name, "no")) return flag;
  flag = absl::FindCommandLineFlag(name);
  return flag != nullptr && flag->IsOfType<bool>() ? flag : nullptr;
}

// Where, if at all, the path of a file that defines flags of the command
// begins: its own files, or those that commands share.
size_t FindOwnFile(absl::string_view path, absl::string_view own_file) {
  const size_t begin = path.find(own_file);
  if (begin != absl::string_view::npos) return begin;
  return path.find("runtime/compute_flags.cc");
}

std::vector<std::string> OwnFlags(absl::string_view own_file) {
  std::vector<std::string> names;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (FindOwnFile(flag->Filename(), own_file) != absl::string_view::npos) {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

absl::Status CheckFlagNames(absl::Span<char* const> args,
                            absl::string_view own_file) {
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view word = args[i];
    if (word == "--") break;
    if (!absl::ConsumePrefix(&word, "-") || word.empty()) continue;
    absl::ConsumePrefix(&word, "-");
    const size_t equals = word.find('=');
    const absl::string_view name = word.substr(0, equals);
    if (IsBuiltIn(name)) continue;
    const absl::CommandLineFlag* flag = FindFlag(name);
    if (flag == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--", name, ": there is no such flag; did you mean --",
          NearestName(name, OwnFlags(own_file)), "? --help lists them all"));
    }
    // The next word is this flag's value, whatever it looks like.
    if (equals == absl::string_view::npos && !flag->IsOfType<bool>()) ++i;
  }
  return absl::OkStatus();
}

std::vector<std::string> ParseFlagsAndWords(int argc, char** argv,
                                            absl::string_view usage,
                                            absl::string_view own_file) {
  PrepareProcess();
  const auto is_own = [file = std::string(own_file)](absl::string_view name) {
    return FindOwnFile(name, file) != absl::string_view::npos;
  };
  absl::SetProgramUsageMessage(usage);
  absl::SetFlagsUsageConfig(
      {.contains_helpshort_flags = is_own,
       .contains_help_flags = is_own,
       .contains_helppackage_flags = is_own,
       .version_string = nullptr,
       .normalize_filename =
           [file = std::string(own_file)](absl::string_view name) {
             // Without the directories of the machine that built the program.
             const size_t begin = FindOwnFile(name, file);
             return std::string(
                 begin == absl::string_view::npos ? name : name.substr(begin));
           }});
  const absl::Status names =
      CheckFlagNames(absl::MakeConstSpan(argv, argc).subspan(1), own_file);
  if (!names.ok()) {
    LogError(names.message());
    std::exit(1);
  }
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  return {rest.begin() + 1, rest.end()};
}

void ParseFlags(int argc, char** argv, absl::string_view usage,
                absl::string_view own_file) {
  const std::vector<std::string> words =
      ParseFlagsAndWords(argc, argv, usage, own_file);
  if (words.empty()) return;
  LogError("unexpected argument \"", words[0],
           "\": every value belongs to a flag, as in --name=value");
  std::exit(1);
}

}  // namespace continuo
