// SPDX-License-Identifier: Apache-2.0

// Checkpoints that TensorFlow wrote: V2, V2 with optimizer slots, V1.

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/checkpoint/checkpoint.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo {
namespace {

using testing::GoldenDir;
using testing::ListFolders;

std::map<std::string, std::string> VariableFiles(const std::string& dir) {
  std::map<std::string, std::string> files;
  const auto meta = testing::MustReadJson(JoinPath(dir, "meta.json"));
  for (const auto& variable : meta["variables"]) {
    files[variable["name"].get<std::string>()] =
        variable["file"].get<std::string>();
  }
  return files;
}

void ExpectWeights(const std::string& checkpoint, const std::string& dir) {
  const auto tensors = ReadCheckpoint(checkpoint);
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  const auto files = VariableFiles(dir);
  EXPECT_EQ(tensors->size(), files.size()) << checkpoint;
  for (const auto& [name, file] : files) {
    ASSERT_EQ(tensors->count(name), 1) << checkpoint << " lacks " << name;
    const HostTensor& tensor = tensors->at(name);
    const auto expected =
        testing::MustReadNpy(JoinPath(JoinPath(dir, "weights"), file));
    EXPECT_EQ(tensor.shape, expected.shape) << name;
    EXPECT_EQ(tensor.floats, expected.floats) << name;
  }
}

TEST(CheckpointGoldenTest, ReadsWhatTensorFlowWrote) {
  int cases = 0;
  for (const std::string& name : ListFolders(GoldenDir("model"))) {
    const std::string dir = JoinPath(GoldenDir("model"), name);
    SCOPED_TRACE(dir);
    const std::string v2 = JoinPath(dir, "ckpt_v2/model.ckpt-0");
    const std::string v1 = JoinPath(dir, "ckpt_v1/model.ckpt");
    const std::string full = JoinPath(dir, "ckpt_v2_full/model.ckpt-5");
    if (FileExists(v2 + ".index")) {
      ExpectWeights(v2, dir);
      ++cases;
    }
    if (FileExists(v1)) {
      ExpectWeights(v1, dir);
      ++cases;
    }
    if (FileExists(full + ".index")) {
      const auto tensors = ReadCheckpoint(full);
      ASSERT_TRUE(tensors.ok()) << tensors.status();
      const auto meta = testing::MustReadJson(JoinPath(dir, "meta.json"));
      EXPECT_EQ(tensors->size(), meta["checkpoint_after_5"].size());
      EXPECT_EQ(tensors->at("global_step").ints, std::vector<int64_t>{5});
      for (const auto& [variable, file] : VariableFiles(dir)) {
        EXPECT_EQ(tensors->count(variable + "/Adam"), 1);
        EXPECT_EQ(tensors->count(variable + "/Adam_1"), 1);
        const auto after = testing::MustReadNpy(
            JoinPath(JoinPath(dir, "weights_after_5"), file));
        EXPECT_EQ(tensors->at(variable).floats, after.floats) << variable;
      }
      ++cases;
    }
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no checkpoints in " << GoldenDir("model");
  }
  EXPECT_GT(cases, 0);
}

// Every byte of a V1 table is covered by a check.
TEST(CheckpointGoldenTest, EveryFlippedByteOfAV1CheckpointIsAnError) {
  int cases = 0;
  for (const std::string& name : ListFolders(GoldenDir("model"))) {
    const std::string path =
        JoinPath(GoldenDir("model"), absl::StrCat(name, "/ckpt_v1/model.ckpt"));
    if (!FileExists(path)) continue;
    std::string bytes = testing::MustRead(path);
    // Each trial checksums the file up to the damage, so the large part in
    // the middle is sampled.
    for (size_t i = 0; i < bytes.size();
         i += i < 512 || i + 512 > bytes.size() ? 1 : 331) {
      bytes[i] ^= 0x20;
      EXPECT_FALSE(ReadCheckpointV1(bytes, path).ok()) << path << " byte " << i;
      bytes[i] ^= 0x20;
    }
    ++cases;
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no V1 checkpoints in " << GoldenDir("model");
  }
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace continuo
