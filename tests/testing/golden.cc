// SPDX-License-Identifier: Apache-2.0

#include "tests/testing/golden.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <system_error>

#include "absl/strings/match.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"

namespace continuo::testing {
namespace {

namespace fs = std::filesystem;

const char* ForeignDir() {
  const char* dir = std::getenv("CONTINUO_GOLDEN_DIR");
  return dir != nullptr && dir[0] != '\0' ? dir : nullptr;
}

template <typename Keep>
std::vector<std::string> ListNames(const std::string& dir, Keep keep) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    if (keep(entry)) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string GoldenDir(absl::string_view below) {
  const char* dir = ForeignDir();
  return JoinPath(dir != nullptr ? dir : CONTINUO_SOURCE_DIR "/tests/golden",
                  below);
}

std::string CasesDir(absl::string_view below) {
  return JoinPath(CONTINUO_SOURCE_DIR "/tests/cases", below);
}

bool GoldenDirIsForeign() { return ForeignDir() != nullptr; }

std::vector<std::string> ListFolders(const std::string& dir) {
  return ListNames(dir, [](const auto& entry) { return entry.is_directory(); });
}

std::vector<std::string> ListFiles(const std::string& dir,
                                   absl::string_view suffix) {
  return ListNames(dir, [&](const auto& entry) {
    return entry.is_regular_file() &&
           absl::EndsWith(entry.path().filename().string(), suffix);
  });
}

std::string MustRead(const std::string& path) {
  auto bytes = ReadFile(path);
  if (!bytes.ok()) LogError(bytes.status().message());
  CONTINUO_CHECK(bytes.ok());
  return *std::move(bytes);
}

nlohmann::json MustReadJson(const std::string& path) {
  auto json = nlohmann::json::parse(MustRead(path), nullptr, false);
  if (json.is_discarded()) LogError(path, ": not JSON");
  CONTINUO_CHECK(!json.is_discarded());
  return json;
}

double JsonNumber(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  const std::string text = value.get<std::string>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  CONTINUO_CHECK(text == "Infinity" || text == "-Infinity");
  const double infinity = std::numeric_limits<double>::infinity();
  return text == "Infinity" ? infinity : -infinity;
}

}  // namespace continuo::testing
