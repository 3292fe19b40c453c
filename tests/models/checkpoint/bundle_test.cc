// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/bundle.h"

#include <string>

#include "gtest/gtest.h"
#include "models/checkpoint/checkpoint.h"
#include "runtime/files/atomic_file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

Bundle SmallBundle() {
  Bundle bundle;
  bundle.id = "basic_rnn";
  bundle.description = "A generator";
  bundle.bundle_description = "three tensors";
  bundle.tensors["a"] = {
      .shape = {2, 3}, .floats = {1, 2, 3, 4, 5, 0.5f}, .ints = {}};
  bundle.tensors["a/b"] = {.shape = {}, .floats = {-1}, .ints = {}};
  bundle.tensors["step"] = {
      .dtype = DType::kInt64, .shape = {1}, .floats = {}, .ints = {-7}};
  bundle.metagraph = "not looked into here";
  return bundle;
}

void ExpectSame(const Bundle& a, const Bundle& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.bundle_description, b.bundle_description);
  EXPECT_EQ(a.metagraph, b.metagraph);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    ASSERT_EQ(b.tensors.count(name), 1) << name;
    const HostTensor& other = b.tensors.at(name);
    EXPECT_EQ(tensor.dtype, other.dtype) << name;
    EXPECT_EQ(tensor.shape, other.shape) << name;
    EXPECT_EQ(tensor.floats, other.floats) << name;
    EXPECT_EQ(tensor.ints, other.ints) << name;
  }
}

TEST(BundleTest, ReadsWhatItWrote) {
  const Bundle bundle = SmallBundle();
  const auto read = ParseBundle(BuildBundle(bundle), "small.mag");
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectSame(bundle, *read);

  const std::string path = ::testing::TempDir() + "/bundle_test.mag";
  ASSERT_TRUE(WriteBundle(path, bundle).ok());
  const auto from_file = ReadBundle(path);
  ASSERT_TRUE(from_file.ok()) << from_file.status();
  ExpectSame(bundle, *from_file);
  const auto files = ReadBundleFiles(path);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->metagraph, bundle.metagraph);
  EXPECT_EQ(files->checkpoint, BuildCheckpointV1(bundle.tensors));
}

TEST(BundleTest, DamageAnywhereIsAnErrorThatNamesTheFile) {
  const std::string bytes = BuildBundle(SmallBundle());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int change : {0x01, 0x02, 0x08, 0x20, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      const auto read = ParseBundle(damaged, "small.mag");
      ASSERT_FALSE(read.ok()) << "byte " << i << " changed by " << change;
      EXPECT_NE(read.status().message().find("small.mag"), std::string::npos)
          << read.status();
    }
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseBundle(bytes.substr(0, size), "small.mag").ok()) << size;
  }
}

TEST(BundleTest, FileThatCannotBeWrittenIsAnError) {
  const testing::ScratchDir dir;
  // A file where a folder should be.
  ASSERT_TRUE(WriteFileAtomically(dir.Path("folder"), "").ok());
  const std::string path = dir.Path("folder/x.mag");
  const auto status = WriteBundle(path, SmallBundle());
  EXPECT_NE(status.message().find(path), std::string::npos) << status;
}

}  // namespace
}  // namespace continuo
