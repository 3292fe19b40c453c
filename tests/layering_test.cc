// The include direction of the folders, read from the sources themselves:
//
//   runtime <- kernels <- models <- train
//   runtime <- data    <- models <- generate
//
// A main sits on top of the libraries and may include any of them; tests and
// bench may include anything.

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>>& AllowedIncludes() {
  static const auto& allowed =
      *new std::map<std::string, std::set<std::string>>{
          {"runtime", {"runtime"}},
          {"kernels", {"kernels", "runtime"}},
          {"data", {"data", "runtime"}},
          {"models", {"models", "kernels", "data", "runtime"}},
          {"train", {"train", "models", "kernels", "data", "runtime"}},
          {"generate", {"generate", "models", "kernels", "data", "runtime"}},
      };
  return allowed;
}

bool IsSource(const fs::path& path) {
  const std::string name = path.filename().string();
  if (absl::EndsWith(name, "_main.cc")) return false;
  const std::string extension = path.extension().string();
  return extension == ".h" || extension == ".cc" || extension == ".cu" ||
         extension == ".cuh";
}

// The top folders that a source includes with quotes ("kernels/lstm/lstm.h").
std::vector<std::string> IncludedFolders(const std::string& path) {
  std::vector<std::string> folders;
  const std::string text = testing::MustRead(path);
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StartsWith(line, "#include \"")) continue;
    const absl::string_view included = line.substr(10);
    const size_t slash = included.find('/');
    if (slash == absl::string_view::npos) continue;
    folders.emplace_back(included.substr(0, slash));
  }
  return folders;
}

TEST(LayeringTest, FoldersIncludeOnlyWhatIsBelowThem) {
  int sources = 0;
  for (const auto& [folder, allowed] : AllowedIncludes()) {
    const std::string root = std::string(CONTINUO_SOURCE_DIR) + "/" + folder;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file() || !IsSource(entry.path())) continue;
      ++sources;
      for (const std::string& included :
           IncludedFolders(entry.path().string())) {
        if (AllowedIncludes().count(included) == 0 && included != "tests" &&
            included != "bench") {
          continue;  // another project's header
        }
        EXPECT_TRUE(allowed.count(included) > 0)
            << entry.path().string() << " includes " << included << "/";
      }
    }
  }
  EXPECT_GT(sources, 20);
}

}  // namespace
}  // namespace continuo
