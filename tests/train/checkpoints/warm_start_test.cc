// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/warm_start.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/safetensors.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

HostTensor Floats(std::vector<int64_t> shape, std::vector<float> values) {
  return {.dtype = DType::kFloat32,
          .shape = std::move(shape),
          .floats = std::move(values),
          .ints = {}};
}

const std::vector<Parameter>& Parameters() {
  static const auto& parameters = *new std::vector<Parameter>{
      {.name = "a", .shape = {2, 2}, .offset = 0, .size = 4},
      {.name = "b", .shape = {3}, .offset = 16, .size = 3}};
  return parameters;
}

TensorMap Tensors() {
  return {{"a", Floats({2, 2}, {1, 2, 3, 4})},
          {"a/Adam", Floats({2, 2}, {9, 9, 9, 9})},
          {"b", Floats({3}, {5, 6, 7})}};
}

absl::StatusOr<std::vector<float>> Weights(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const ModelFile file, ReadWarmStart(path));
  return WarmStartWeights(path, file.tensors, Parameters());
}

void ExpectWeights(const std::string& path) {
  const auto flat = Weights(path);
  ASSERT_TRUE(flat.ok()) << flat.status();
  ASSERT_EQ(static_cast<int64_t>(flat->size()), FlatSize(Parameters()));
  EXPECT_EQ(std::vector<float>(flat->begin(), flat->begin() + 4),
            (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(std::vector<float>(flat->begin() + 16, flat->begin() + 19),
            (std::vector<float>{5, 6, 7}));
}

TEST(WarmStartTest, TakesCheckpointsFoldersAndSafetensors) {
  const testing::ScratchDir dir;
  const std::string prefix = dir.Path("model.ckpt-5");
  ASSERT_TRUE(WriteCheckpointV2(prefix, Tensors()).ok());
  ASSERT_TRUE(
      WriteCheckpointState(dir.Path(), {.latest = prefix, .all = {prefix}})
          .ok());
  ExpectWeights(prefix);
  ExpectWeights(dir.Path());
  // The folder of a run holds it in train/.
  ASSERT_TRUE(MakeDirectories(dir.Path("run")).ok());
  std::filesystem::create_directory_symlink(dir.Path(), dir.Path("run/train"));
  ExpectWeights(dir.Path("run"));
  const std::string file = dir.Path("x.safetensors");
  ASSERT_TRUE(
      WriteFileAtomically(
          file, SerializeSafetensors({.tensors = Tensors(), .metadata = {}}))
          .ok());
  ExpectWeights(file);
}

TEST(WarmStartTest, SaysWhatWasLoadedAndWhatWasNot) {
  const testing::ScratchDir dir;
  const std::string prefix = dir.Path("model.ckpt-5");
  ASSERT_TRUE(WriteCheckpointV2(prefix, Tensors()).ok());
  ::testing::internal::CaptureStderr();
  const bool ok = Weights(prefix).ok();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(ok);
  EXPECT_TRUE(absl::StrContains(log, "loaded a [2, 2]")) << log;
  EXPECT_TRUE(absl::StrContains(log, "not loaded a/Adam [2, 2]")) << log;
}

TEST(WarmStartTest, ListsEveryWeightThatDoesNotFit) {
  const testing::ScratchDir dir;
  const std::string prefix = dir.Path("model.ckpt-5");
  TensorMap tensors = Tensors();
  tensors["a"] = Floats({4}, {1, 2, 3, 4});
  tensors.erase("b");
  ASSERT_TRUE(WriteCheckpointV2(prefix, tensors).ok());
  const auto status = Weights(prefix).status();
  ASSERT_TRUE(absl::IsInvalidArgument(status)) << status;
  for (const std::string word :
       {"`warm_start_bundle_file`=", "a [2, 2]: has the shape [4]",
        "b [3]: is not in the file"}) {
    EXPECT_TRUE(absl::StrContains(status.message(), word)) << status;
  }
}

TEST(WarmStartTest, NamesWhatIsMissingOrDamaged) {
  const testing::ScratchDir dir;
  auto status = Weights(dir.Path("none")).status();
  EXPECT_TRUE(absl::StrContains(status.message(), dir.Path("none"))) << status;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("text"), "hello, world").ok());
  status = Weights(dir.Path("text")).status();
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), dir.Path("text"))) << status;
}

}  // namespace
}  // namespace continuo
