// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/temporary_files.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/child.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::RunChild;
using ::continuo::testing::ScratchDir;

std::string Make(const ScratchDir& dir, const std::string& name) {
  EXPECT_TRUE(WriteFileAtomically(dir.Path(name), "x").ok());
  return dir.Path(name);
}

// In a process of its own, as this one's temporary files are not its.
TEST(TemporaryFilesTest, RemovesThoseThatAreStillNamed) {
  const ScratchDir dir;
  const std::string kept = Make(dir, "kept");
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) paths.push_back(Make(dir, absl::StrCat(i)));
  const auto result = RunChild([&] {
    { const TemporaryName let_go(kept); }
    std::vector<std::unique_ptr<TemporaryName>> names;
    names.reserve(paths.size());
    for (const std::string& path : paths) {
      names.push_back(std::make_unique<TemporaryName>(path));
    }
    if (names[3]->path() != paths[3]) return 1;
    names[7].reset();
    RemoveTemporaryFiles();
    RemoveTemporaryFiles();  // a second signal: nothing is left to do
    return 0;
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(FileExists(kept));
  for (size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(FileExists(paths[i]), i == 7) << i;
  }
}

TEST(TemporaryFilesTest, FilesThatAreGoneAreNoMatter) {
  const ScratchDir dir;
  const auto result = RunChild([&] {
    const TemporaryName name(dir.Path("none"));
    RemoveTemporaryFiles();
    return FileExists(dir.Path("none")) ? 1 : 0;
  });
  EXPECT_EQ(result.code, 0);
}

}  // namespace
}  // namespace continuo
