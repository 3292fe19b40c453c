// SPDX-License-Identifier: Apache-2.0

// Bundles that Magenta wrote.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/proto/metagraph.pb.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/sha256.h"

namespace continuo {
namespace {

using testing::GoldenDir;

constexpr size_t kTensorFlowBlockBytes = 256 << 10;

std::vector<std::string> Paths() {
  std::vector<std::string> paths;
  for (const std::string& name :
       testing::ListFiles(GoldenDir("bundles"), ".mag")) {
    paths.push_back(JoinPath(GoldenDir("bundles"), name));
  }
  EXPECT_TRUE(!paths.empty() || testing::GoldenDirIsForeign());
  return paths;
}

TEST(BundleGoldenTest, TensorsAndDetailsAreThoseOfMagenta) {
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
      const HostTensor& read = bundle->tensors.at(variable);
      EXPECT_EQ(read.shape, tensor["shape"].get<std::vector<int64_t>>())
          << variable;
      EXPECT_EQ(
          testing::Sha256({reinterpret_cast<const char*>(read.floats.data()),
                           read.floats.size() * sizeof(float)}),
          tensor["sha256"].get<std::string>())
          << variable;
    }
  }
}

TEST(BundleGoldenTest, MetaGraphsHaveTheCollectionsOfMagenta) {
  for (const std::string& path : Paths()) {
    SCOPED_TRACE(path);
    const auto bundle = ReadBundle(path);
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    tensorflow::MetaGraphDef graph;
    ASSERT_TRUE(graph.ParseFromString(bundle->metagraph));
    const auto expected = testing::MustReadJson(
        absl::StrCat(path.substr(0, path.size() - 4), ".json"));
    EXPECT_EQ(graph.saver_def().filename_tensor_name(),
              expected["saver"]["filename_tensor"].get<std::string>());
    for (const auto& [name, values] :
         expected["metagraph_collections"].items()) {
      const auto found = graph.collection_def().find(name);
      ASSERT_NE(found, graph.collection_def().end()) << name;
      const auto& nodes = found->second.node_list().value();
      EXPECT_EQ(std::vector<std::string>(nodes.begin(), nodes.end()),
                values.get<std::vector<std::string>>())
          << name;
    }
  }
}

TEST(BundleGoldenTest, WritesTheBytesOfMagentasCheckpoints) {
  for (const std::string& path : Paths()) {
    SCOPED_TRACE(path);
    const auto bundle = ReadBundle(path);
    const auto files = ReadBundleFiles(path);
    ASSERT_TRUE(bundle.ok() && files.ok());
    // Larger tables are divided into blocks in another way.
    if (files->checkpoint.size() < kTensorFlowBlockBytes) {
      EXPECT_TRUE(BuildCheckpointV1(bundle->tensors) == files->checkpoint);
    }
    EXPECT_EQ(files->metagraph, bundle->metagraph);
    const auto again = ParseBundle(BuildBundle(*bundle), "again.mag");
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->id, bundle->id);
    EXPECT_EQ(again->bundle_description, bundle->bundle_description);
    EXPECT_EQ(again->metagraph, bundle->metagraph);
    EXPECT_EQ(again->tensors.size(), bundle->tensors.size());
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
