// SPDX-License-Identifier: Apache-2.0

#include "data/records/shards.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr int kMaxShards = 99999;
constexpr size_t kShardDigits = 5;

// Names in an error; the rest is counted.
constexpr size_t kMaxNamed = 3;

std::string ShardName(absl::string_view path, int64_t shard, int64_t count) {
  return absl::StrFormat("%s-%05d-of-%05d", path, shard, count);
}

std::string SomeOf(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kMaxNamed);
  std::string text = absl::StrJoin(names.begin(), names.begin() + shown, ", ");
  if (names.size() > shown) {
    absl::StrAppend(&text, " and ", names.size() - shown, " more");
  }
  return text;
}

// "name@64" taken apart.
std::optional<std::pair<std::string, int>> ParseCount(absl::string_view name) {
  const size_t at = name.rfind('@');
  int count = 0;
  if (at == absl::string_view::npos || at == 0) return std::nullopt;
  const absl::string_view digits = name.substr(at + 1);
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &count)) {
    return std::nullopt;
  }
  return std::pair(std::string(name.substr(0, at)), count);
}

absl::StatusOr<std::vector<std::string>> CountedShards(absl::string_view spec,
                                                       const std::string& name,
                                                       int count) {
  if (count < 1 || count > kMaxShards) {
    return absl::InvalidArgumentError(absl::StrCat(
        spec, ": the number of shards must lie in 1..", kMaxShards));
  }
  std::vector<std::string> paths;
  std::vector<std::string> missing;
  for (int shard = 0; shard < count; ++shard) {
    paths.push_back(ShardName(name, shard, count));
    if (!FileExists(paths.back())) missing.push_back(paths.back());
  }
  if (count == 1 && !missing.empty() && FileExists(name)) {
    return std::vector<std::string>{name};
  }
  if (missing.empty()) return paths;
  return absl::NotFoundError(absl::StrCat(spec, ": of ", count, " shards ",
                                          missing.size(),
                                          " are missing: ", SomeOf(missing)));
}

// The commas outside of brackets are between names.
std::vector<std::string> SplitList(absl::string_view spec) {
  std::vector<std::string> names(1);
  bool in_brackets = false;
  for (const char c : spec) {
    if (c == '[') in_brackets = true;
    if (c == ']') in_brackets = false;
    if (c == ',' && !in_brackets) {
      names.emplace_back();
    } else {
      names.back().push_back(c);
    }
  }
  return names;
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

absl::Status CheckNoneTwice(const std::vector<std::string>& paths) {
  std::map<std::pair<dev_t, ino_t>, std::string> seen;
  for (const std::string& path : paths) {
    struct stat info = {};  // stays so for standard input
    if (path != kStandardStream && stat(path.c_str(), &info) != 0) continue;
    const auto [first, is_new] =
        seen.emplace(std::pair(info.st_dev, info.st_ino), path);
    if (is_new) continue;
    return absl::InvalidArgumentError(
        first->second == path ? absl::StrCat(path, ": is given twice")
                              : absl::StrCat(path, ": is the same file as ",
                                             first->second, "; give it once"));
  }
  return absl::OkStatus();
}

// A file of a set: "prefix-00003-of-00064suffix".
struct ShardOfSet {
  std::string prefix;
  std::string suffix;
  int64_t shard = 0;
  int64_t count = 0;
};

std::optional<ShardOfSet> ParseShard(absl::string_view path) {
  const size_t slash = path.rfind('/');
  const absl::string_view kOf = "-of-";
  const size_t of = path.rfind(kOf);
  if (of == absl::string_view::npos ||
      (slash != absl::string_view::npos && of < slash)) {
    return std::nullopt;
  }
  const auto digit = [&](size_t i) {
    return i < path.size() && absl::ascii_isdigit(path[i]);
  };
  size_t begin = of;
  while (begin > 0 && digit(begin - 1)) --begin;
  size_t end = of + kOf.size();
  while (digit(end)) ++end;
  ShardOfSet parsed;
  if (of - begin < kShardDigits || end - of - kOf.size() < kShardDigits ||
      begin == 0 || path[begin - 1] != '-' ||
      !absl::SimpleAtoi(path.substr(begin, of - begin), &parsed.shard) ||
      !absl::SimpleAtoi(path.substr(of + kOf.size(), end - of - kOf.size()),
                        &parsed.count)) {
    return std::nullopt;
  }
  parsed.prefix = std::string(path.substr(0, begin - 1));
  parsed.suffix = std::string(path.substr(end));
  return parsed;
}

absl::Status MissingShard(absl::string_view spec, const std::string& first,
                          const std::vector<std::string>& missing,
                          int64_t count) {
  std::vector<std::string> present;
  for (const std::string& path : missing) {
    if (FileExists(path)) present.push_back(path);
  }
  const std::string set =
      absl::StrCat("a set of ", count, " shards, to which ", first, " belongs");
  if (present.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(spec, ": ", SomeOf(missing), " is missing of ", set));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(spec, ": does not name ", SomeOf(present), " of ", set,
                   "; a set is read whole, or a single file of it"));
}

// Whether each set of which there is a file is there with all.
absl::Status CheckWholeSets(absl::string_view spec,
                            const std::vector<std::string>& paths) {
  struct Set {
    std::string first;  // path
    int64_t count = 0;
    std::vector<int64_t> shards;
  };
  std::map<std::pair<std::string, std::string>, Set> sets;
  for (const std::string& path : paths) {
    const std::optional<ShardOfSet> shard = ParseShard(AbsolutePath(path));
    if (!shard.has_value()) continue;
    Set& set = sets[{shard->prefix, shard->suffix}];
    if (set.shards.empty()) {
      set.first = path;
      set.count = shard->count;
    }
    if (shard->count != set.count || shard->shard >= shard->count) {
      return absl::InvalidArgumentError(absl::StrCat(
          spec, ": ", path, " is of another set than ", set.first,
          "; remove the files of an earlier run, or give name@", set.count));
    }
    set.shards.push_back(shard->shard);
  }
  for (auto& [name, set] : sets) {
    std::sort(set.shards.begin(), set.shards.end());
    std::vector<std::string> missing;
    if (set.count > kMaxShards) continue;  // hardly the number of a set
    const std::string first_prefix = ParseShard(set.first)->prefix;
    for (int64_t shard = 0; shard < set.count; ++shard) {
      if (!std::binary_search(set.shards.begin(), set.shards.end(), shard)) {
        missing.push_back(absl::StrCat(
            ShardName(first_prefix, shard, set.count), name.second));
      }
    }
    if (!missing.empty()) {
      return MissingShard(spec, set.first, missing, set.count);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandShards(absl::string_view name) {
  auto found = Glob(name);
  if (found.ok()) return found;
  const auto counted = ParseCount(name);
  if (!counted.has_value()) return found;
  return CountedShards(name, ExpandHome(counted->first), counted->second);
}

absl::StatusOr<std::vector<std::string>> ShardFiles(absl::string_view spec) {
  if (FileExists(ExpandHome(spec))) return Glob(spec);
  std::vector<std::string> paths;
  // A pattern that matches means itself, commas included.
  if (auto found = Glob(spec); found.ok()) {
    paths = *std::move(found);
  } else {
    for (const std::string& name : SplitList(spec)) {
      if (name.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat(spec, ": there is a comma without a name beside it"));
      }
      CONTINUO_ASSIGN_OR_RETURN(std::vector<std::string> expanded,
                                ExpandShards(name));
      paths.insert(paths.end(), expanded.begin(), expanded.end());
    }
  }
  std::stable_sort(paths.begin(), paths.end(),
                   [](const std::string& a, const std::string& b) {
                     return AbsolutePath(a) < AbsolutePath(b);
                   });
  CONTINUO_RETURN_IF_ERROR(CheckNoneTwice(paths));
  CONTINUO_RETURN_IF_ERROR(CheckWholeSets(spec, paths));
  return paths;
}

absl::Status CheckShardSets(absl::string_view spec,
                            const std::vector<std::string>& paths) {
  std::vector<std::string> shards;
  for (const std::string& path : paths) {
    if (ParseShard(AbsolutePath(path)).has_value()) shards.push_back(path);
  }
  CONTINUO_RETURN_IF_ERROR(CheckNoneTwice(shards));
  return CheckWholeSets(spec, shards);
}

bool AreOfOneSet(const std::string& a, const std::string& b) {
  const auto first = ParseShard(AbsolutePath(a));
  const auto second = ParseShard(AbsolutePath(b));
  return first.has_value() && second.has_value() &&
         first->prefix == second->prefix && first->suffix == second->suffix &&
         first->count == second->count;
}

std::vector<std::string> ShardNames(absl::string_view path, int num_shards) {
  if (num_shards <= 1) return {std::string(path)};
  std::vector<std::string> names;
  for (int shard = 0; shard < num_shards; ++shard) {
    names.push_back(ShardName(path, shard, num_shards));
  }
  return names;
}

std::string ShareName(const std::string& path, const WorkShare& share) {
  if (path.empty() || share.is_all()) return path;
  return ShardName(path, share.rank, share.size);
}

}  // namespace continuo
