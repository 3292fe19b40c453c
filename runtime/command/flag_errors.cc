// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/flag_errors.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/edit_distance.h"

namespace continuo {
namespace {

// Flags that Abseil handles without registering them (in some releases).
bool IsBuiltIn(absl::string_view name) {
  constexpr absl::string_view kNames[] = {"fromenv", "flagfile", "tryfromenv",
                                          "undefok", "only_check_args"};
  return std::find(std::begin(kNames), std::end(kNames), name) !=
         std::end(kNames);
}

// The names in --undefok=a,b.
std::vector<std::string> NamesThatMayBeUnknown(absl::Span<char* const> args) {
  std::vector<std::string> names;
  for (size_t i = 0; i < args.size();) {
    const FlagWord word = ParseFlagWord(args, i);
    if (word.name == "undefok" && word.value != nullptr) {
      for (const auto name : absl::StrSplit(word.value, ',')) {
        names.emplace_back(name);
      }
    }
    i += word.words;
  }
  return names;
}

// If the shell has cut a list without quotes in pieces of which args[index] is
// one: the list in quotes, behind its flag.
std::optional<std::string> ListInQuotes(absl::Span<char* const> args,
                                        size_t index) {
  for (size_t first = index; first-- > 0;) {
    const absl::string_view word = args[first];
    if (absl::StrContains(word, ']')) return std::nullopt;
    const size_t open = word.find('[');
    if (open == absl::string_view::npos) continue;
    std::string list(word.substr(open));
    for (size_t i = first + 1; i < args.size(); ++i) {
      absl::StrAppend(&list, " ", args[i]);
      if (absl::StrContains(args[i], ']')) break;
    }
    std::string flag(word.substr(0, open));
    if (flag.empty() && first > 0) flag = absl::StrCat(args[first - 1], "=");
    return absl::StrCat(flag, "\"", list, "\"");
  }
  return std::nullopt;
}

std::string Suggestion(absl::string_view name, const CommandHelp& help) {
  const std::vector<std::string> own = OwnFlags(help);
  std::vector<std::string> begin_so;
  for (const std::string& flag : own) {
    if (absl::StartsWith(flag, name)) begin_so.push_back(flag);
  }
  if (!begin_so.empty() && begin_so.size() <= 4) {
    return absl::StrCat("; did you mean --", absl::StrJoin(begin_so, " or --"),
                        "? ");
  }
  const std::string nearest = NearestName(name, own);
  const int distance = EditDistance(name, nearest);
  if (distance > 3 || 2 * distance >= static_cast<int>(name.size())) {
    return "; ";
  }
  return absl::StrCat("; did you mean --", nearest, "? ");
}

// What a value of the flag's type is.
std::string Expectation(const absl::CommandLineFlag& flag,
                        absl::string_view value) {
  if (flag.IsOfType<bool>()) return "expected true or false";
  if (flag.IsOfType<double>()) return "expected a number, as in 0.5";
  std::string expected = "expected a whole number";
  if (flag.IsOfType<uint64_t>() || flag.IsOfType<std::optional<uint64_t>>()) {
    absl::StrAppend(&expected, " from 0 to ",
                    std::numeric_limits<uint64_t>::max());
  }
  double number = 0;
  if (absl::SimpleAtod(value, &number) && number > 0 && number < 1e9 &&
      number == static_cast<double>(static_cast<int64_t>(number))) {
    absl::StrAppend(&expected, ", as in ", static_cast<int64_t>(number));
  }
  return expected;
}

// OK, or why the flag cannot have the value.
absl::Status CheckValue(const FlagWord& word, const CommandHelp& help) {
  std::string error;
  if (word.flag->ParseFrom(word.value, &error)) return absl::OkStatus();
  const absl::CommandLineFlag& flag = *word.flag;
  const bool is_number = flag.IsOfType<bool>() || flag.IsOfType<double>() ||
                         IsWholeNumberFlag(flag);
  // Of other types, what their parser says stands behind Abseil's own words.
  std::string expected =
      is_number ? Expectation(flag, word.value)
                : std::string(absl::StripAsciiWhitespace(error.substr(
                      std::min(error.size(), error.find(';') + 1))));
  for (const auto& [name, unit] : help.units) {
    if (name == flag.Name()) absl::StrAppend(&expected, " (", unit, ")");
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag.Name(), "=", word.value, ": ", expected));
}

absl::Status UnknownFlagError(absl::Span<char* const> args, size_t index,
                              const FlagWord& word, const CommandHelp& help) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(word.name[0]))) {
    return StrayWordError(args, args[index]);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", word.name, ": there is no such flag",
                   Suggestion(word.name, help), "--help=all lists them all"));
}

}  // namespace

FlagWord ParseFlagWord(absl::Span<char* const> args, size_t index) {
  FlagWord parsed;
  absl::string_view word = args[index];
  if (!absl::ConsumePrefix(&word, "-") || word.empty()) return parsed;
  absl::ConsumePrefix(&word, "-");
  const size_t equals = word.find('=');
  parsed.name = word.substr(0, equals);
  if (parsed.name.empty()) return parsed;
  parsed.flag = absl::FindCommandLineFlag(parsed.name);
  absl::string_view positive = parsed.name;
  if (parsed.flag == nullptr && absl::ConsumePrefix(&positive, "no")) {
    parsed.flag = absl::FindCommandLineFlag(positive);
    if (parsed.flag != nullptr && !parsed.flag->IsOfType<bool>()) {
      parsed.flag = nullptr;
    }
  }
  if (equals != absl::string_view::npos) {
    parsed.value = word.data() + equals + 1;
  } else if ((parsed.flag != nullptr && !parsed.flag->IsOfType<bool>()) ||
             IsBuiltIn(parsed.name)) {
    // The next word is this flag's value, whatever it looks like.
    parsed.words = 2;
    if (index + 1 < args.size()) parsed.value = args[index + 1];
  }
  return parsed;
}

absl::Status CheckFlags(absl::Span<char* const> args, const CommandHelp& help) {
  const std::vector<std::string> may_be_unknown = NamesThatMayBeUnknown(args);
  for (size_t i = 0; i < args.size();) {
    if (absl::string_view(args[i]) == "--") break;
    const FlagWord word = ParseFlagWord(args, i);
    const size_t index = std::exchange(i, i + word.words);
    if (word.name.empty() || IsBuiltIn(word.name)) continue;
    if (word.flag == nullptr) {
      if (std::find(may_be_unknown.begin(), may_be_unknown.end(), word.name) !=
          may_be_unknown.end()) {
        continue;
      }
      return UnknownFlagError(args, index, word, help);
    }
    if (word.value == nullptr) {
      if (word.flag->IsOfType<bool>()) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--", word.name, ": a value is missing, as in --",
                       word.name, "=..."));
    }
    const absl::Status value = CheckValue(word, help);
    if (!value.ok()) return value;
  }
  return absl::OkStatus();
}

absl::Status StrayWordError(absl::Span<char* const> args,
                            absl::string_view word) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] != word) continue;
    const std::optional<std::string> list = ListInQuotes(args, i);
    if (!list.has_value()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", word, "\" looks like part of a list: put the list in quotes, ",
        *list));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unexpected argument \"", word,
                   "\": every value belongs to a flag, as in --name=value"));
}

absl::Status CheckRequired(const CommandHelp& help) {
  std::vector<std::string> missing;
  for (const HelpGroup& group : help.groups) {
    if (group.level != HelpLevel::kRequired) continue;
    for (const std::string& entry : group.flags) {
      const std::string name = entry.substr(0, entry.find('='));
      const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
      if (flag != nullptr && flag->CurrentValue().empty()) {
        missing.push_back(absl::StrCat("--", entry));
      }
    }
  }
  if (missing.size() < 2) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(missing, " and "),
                   " are required; --help explains them, with examples"));
}

}  // namespace continuo
