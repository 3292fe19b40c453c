// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/help.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/device/device.h"

namespace continuo {
namespace {

constexpr size_t kWidth = 80;

// What stands for a value of the flag.
std::string ValueName(const absl::CommandLineFlag& flag) {
  if (flag.IsOfType<bool>()) return "";
  if (flag.IsOfType<double>() || flag.IsOfType<float>()) return "NUMBER";
  if (IsWholeNumberFlag(flag)) return "N";
  const absl::string_view name = flag.Name();
  if (absl::EndsWith(name, "_dir")) return "FOLDER";
  if (absl::EndsWith(name, "_file")) return "FILE";
  return "TEXT";
}

// One flag: its name with what its value is, then what it does.
std::string FlagText(const absl::CommandLineFlag& flag,
                     absl::string_view value_name) {
  const std::string value =
      value_name.empty() ? ValueName(flag) : std::string(value_name);
  std::string about = flag.Help();
  if (!about.empty() && about.back() != '.') about.push_back('.');
  const std::string initial = flag.DefaultValue();
  if (!initial.empty() && initial != "false") {
    absl::StrAppend(&about, " Default: ", initial, ".");
  }
  return absl::StrCat("  --", initial == "true" ? "[no]" : "", flag.Name(),
                      value.empty() ? "" : "=", value, "\n",
                      WrapText(about, 6));
}

// A group with the flags that the command has, as name and value's name.
struct ShownGroup {
  std::string title;
  HelpLevel level;
  std::vector<std::pair<std::string, std::string>> flags;
};

std::vector<ShownGroup> ShownGroups(const CommandHelp& help) {
  const std::vector<std::string> own = OwnFlags(help);
  std::set<std::string> left(own.begin(), own.end());
  std::vector<ShownGroup> shown;
  const auto add = [&](const HelpGroup& group) {
    ShownGroup& added =
        shown.emplace_back(ShownGroup{group.title, group.level, {}});
    for (const std::string& entry : group.flags) {
      const std::pair<std::string, std::string> flag =
          absl::StrSplit(entry, absl::MaxSplits('=', 1));
      if (left.erase(flag.first) > 0) added.flags.push_back(flag);
    }
    if (added.flags.empty()) shown.pop_back();
  };
  for (const HelpGroup& group : help.groups) add(group);
  add({kHasCuda ? "Where to compute"
                : "Where to compute (this build is for the CPU alone)",
       HelpLevel::kMore,
       {"device=auto|cpu|cuda|cuda:N", "precision=fp32|tf32|bf16",
        "rnn_form=auto|persistent|stepwise", "rnn_backend=auto|fused|cudnn",
        "self_check", "v"}});
  add({"Several processes",
       HelpLevel::kMore,
       {"rank", "world_size", "local_rank", "rendezvous_dir",
        "collective_timeout=SECONDS"}});
  HelpGroup other{"Other", HelpLevel::kMore, {}};
  other.flags.assign(left.begin(), left.end());
  add(other);
  return shown;
}

bool IsAbout(const ShownGroup& group, absl::string_view flag,
             absl::string_view word) {
  return absl::StrContains(flag, word) ||
         absl::StrContains(absl::AsciiStrToLower(group.title), word);
}

}  // namespace

bool IsOwnFile(absl::string_view path, const CommandHelp& help) {
  return absl::StrContains(path, help.own_file) ||
         absl::EndsWith(path, "_flags.cc");
}

bool IsWholeNumberFlag(const absl::CommandLineFlag& flag) {
  return flag.IsOfType<int32_t>() || flag.IsOfType<int64_t>() ||
         flag.IsOfType<uint64_t>() || flag.IsOfType<std::optional<uint64_t>>();
}

std::vector<std::string> OwnFlags(const CommandHelp& help) {
  std::vector<std::string> names;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!IsOwnFile(flag->Filename(), help)) continue;
    if (std::find(help.unused.begin(), help.unused.end(), name) !=
        help.unused.end()) {
      continue;
    }
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string HelpText(const CommandHelp& help, absl::string_view topic) {
  const bool all = topic == "all";
  const std::string word = all ? "" : absl::AsciiStrToLower(topic);
  std::string text = word.empty() ? absl::StrCat(help.about, "\n") : "";
  std::vector<std::string> left_out;
  for (const ShownGroup& group : ShownGroups(help)) {
    if (!all && word.empty() && group.level == HelpLevel::kMore) {
      left_out.push_back(
          absl::StrCat(group.title, " (", group.flags.size(), ")"));
      continue;
    }
    std::string flags;
    for (const auto& [name, value_name] : group.flags) {
      if (!word.empty() && !IsAbout(group, name, word)) continue;
      absl::StrAppend(&flags,
                      FlagText(*absl::FindCommandLineFlag(name), value_name));
    }
    if (flags.empty()) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\n", group.title, "\n", flags);
  }
  if (!word.empty()) {
    return text.empty() ? absl::StrCat("No flag is about \"", topic,
                                       "\"; --help=all shows them all.\n")
                        : text;
  }
  if (!left_out.empty()) {
    absl::StrAppend(&text, "\nMore flags: --help=all\n",
                    WrapText(absl::StrJoin(left_out, ", "), 2));
  }
  absl::StrAppend(
      &text,
      "\nEverywhere\n"
      "  --help=WORD     flags that have to do with a word; --help=all: all\n"
      "  --flagfile=FILE takes flags from a file, one on a line\n"
      "  --version       version, build and devices\n");
  if (!help.after.empty()) absl::StrAppend(&text, "\n", help.after, "\n");
  if (!help.see_also.empty()) {
    absl::StrAppend(
        &text, "\n",
        WrapText("See also: " + absl::StrJoin(help.see_also, ", "), 0));
  }
  return text;
}

std::string WrapText(absl::string_view text, int indent) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  std::string wrapped;
  std::string line;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      absl::StrAppend(&wrapped, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? margin : " ", word);
  }
  if (!line.empty()) absl::StrAppend(&wrapped, line, "\n");
  return wrapped;
}

}  // namespace continuo
