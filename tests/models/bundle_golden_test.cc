// Bundles that the original wrote.

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/bundle.h"
#include "runtime/file.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using testing::GoldenDir;

TEST(BundleGoldenTest, TensorsAndDetailsAreThoseOfTheOriginal) {
  const auto names = testing::ListFiles(GoldenDir("bundles"), ".mag");
  if (names.empty() && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no bundles in " << GoldenDir();
  }
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const std::string path = JoinPath(GoldenDir("bundles"), name);
    SCOPED_TRACE(path);
    const auto bundle = ReadBundle(path);
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    const auto expected = testing::MustReadJson(
        absl::StrCat(path.substr(0, path.size() - 4), ".json"));
    const auto& details = expected["generator_details"];
    EXPECT_EQ(bundle->id, details["id"].get<std::string>());
    EXPECT_EQ(bundle->description, details["description"].get<std::string>());
    EXPECT_EQ(bundle->bundle_description,
              expected["bundle_description"].get<std::string>());
    EXPECT_EQ(bundle->metagraph.size(),
              expected["metagraph_bytes"].get<size_t>());
    ASSERT_EQ(bundle->tensors.size(), expected["tensors"].size());
    for (const auto& tensor : expected["tensors"]) {
      const std::string variable = tensor["name"].get<std::string>();
      ASSERT_EQ(bundle->tensors.count(variable), 1) << variable;
      EXPECT_EQ(bundle->tensors.at(variable).shape,
                tensor["shape"].get<std::vector<int64_t>>())
          << variable;
    }
  }
}

TEST(BundleGoldenTest, DamagedBundlesAreErrors) {
  const auto names = testing::ListFiles(GoldenDir("bundles"), ".mag");
  if (names.empty() && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no bundles in " << GoldenDir();
  }
  ASSERT_FALSE(names.empty());
  const std::string bytes =
      testing::MustRead(JoinPath(GoldenDir("bundles"), names[0]));
  for (size_t size = 0; size < bytes.size(); size += 997) {
    EXPECT_FALSE(ParseBundle(bytes.substr(0, size), "cut.mag").ok()) << size;
  }
  EXPECT_EQ(ParseBundle("no bundle", "x.mag").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace continuo
