// SPDX-License-Identifier: Apache-2.0

// Every operation that there is has a probe in the self check, read from the
// sources themselves.

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

TEST(SelfCheckCoverageTest, EveryOperationHasAProbe) {
  const std::regex declaration("CONTINUO_OPERATION\\((\\w+)\\);");
  std::set<std::string> operations;
  std::string probes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           absl::StrCat(CONTINUO_SOURCE_DIR, "/kernels"))) {
    const std::string path = entry.path().string();
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, "self_check_") && absl::EndsWith(name, ".cc")) {
      probes += testing::MustRead(path);
    }
    if (!absl::EndsWith(name, ".h")) continue;
    const std::string text = testing::MustRead(path);
    for (std::sregex_iterator it(text.begin(), text.end(), declaration), end;
         it != end; ++it) {
      operations.insert((*it)[1]);
    }
  }
  EXPECT_GT(operations.size(), 20u);
  for (const std::string& operation : operations) {
    EXPECT_TRUE(std::regex_search(
        probes, std::regex(absl::StrCat("\\b", operation, "\\("))))
        << operation << " has no probe in kernels/self_check/";
  }
}

}  // namespace
}  // namespace continuo
