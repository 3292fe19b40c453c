// SPDX-License-Identifier: Apache-2.0

// The networks of Magenta's bundles, read off their tensors and meta graphs
// (golden family "bundles").

#include <string>

#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "models/model_file/detect_architecture.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

TEST(DetectArchitectureGoldenTest, FindsTheHyperparametersOfEveryBundle) {
  const std::string root = testing::GoldenDir("bundles");
  int cases = 0;
  for (const std::string& file : testing::ListFiles(root, ".mag")) {
    SCOPED_TRACE(file);
    const std::string path = root + "/" + file;
    const nlohmann::json golden =
        testing::MustReadJson(path.substr(0, path.size() - 4) + ".json");
    const auto bundle = ReadBundle(path);
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    const auto shape = DetectArchitecture(bundle->tensors, file);
    ASSERT_TRUE(shape.ok()) << shape.status();
    const nlohmann::json& hparams = golden["hparams"];
    EXPECT_EQ(shape->layer_sizes,
              hparams["rnn_layer_sizes"].get<std::vector<int>>());
    EXPECT_EQ(shape->residual_connections,
              hparams["residual_connections"].get<bool>());
    const int attn_length = hparams["attn_length"];
    EXPECT_EQ(shape->attention, attn_length > 0);
    if (attn_length > 0) {
      const auto found = DetectAttentionLength(bundle->metagraph, *shape, file);
      ASSERT_TRUE(found.ok()) << found.status();
      EXPECT_EQ(*found, attn_length);
    }
    ++cases;
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) GTEST_SKIP();
  EXPECT_GT(cases, 0) << "no bundle in " << root;
}

}  // namespace
}  // namespace continuo
