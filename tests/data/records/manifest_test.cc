// SPDX-License-Identifier: Apache-2.0

#include "data/records/manifest.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::ScratchDir;

RecordDigest DigestOf(const std::vector<std::string>& records) {
  RecordDigest digest;
  for (const std::string& record : records) digest.Add(FrameTfRecord(record));
  return digest;
}

TEST(RecordDigestTest, TellsContentsOfOneSizeApart) {
  const RecordDigest digest = DigestOf({"ab", "cd"});
  EXPECT_EQ(digest, DigestOf({"ab", "cd"}));
  EXPECT_EQ(digest.records, 2);
  EXPECT_EQ(digest.bytes, 2 * (kTfRecordOverhead + 2));
  EXPECT_FALSE(digest == DigestOf({"ab", "ce"}));
  EXPECT_FALSE(digest == DigestOf({"cd", "ab"}));
  EXPECT_EQ(DigestOf({}), RecordDigest());
}

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() {
    auto file =
        WriteManifest(dir_.Path("set"), {{dir_.Path("train"), DigestOf({"a"})},
                                         {dir_.Path("eval"), DigestOf({"b"})}});
    CONTINUO_CHECK(file.ok() && (*file)->Commit().ok());
  }
  absl::Status Check(const std::string& name, const RecordDigest& digest) {
    return ManifestCheck().Check(dir_.Path(name), digest);
  }
  const ScratchDir dir_;
};

TEST_F(ManifestTest, FilesAsTheyWereWrittenPass) {
  EXPECT_TRUE(FileExists(dir_.Path(".set.manifest")));
  EXPECT_TRUE(Check("train", DigestOf({"a"})).ok());
  EXPECT_TRUE(Check("eval", DigestOf({"b"})).ok());
}

TEST_F(ManifestTest, AnotherFileOfTheNameIsAnErrorWithTheRemedy) {
  const absl::Status status = Check("eval", DigestOf({"c"}));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_TRUE(absl::StartsWith(status.message(), dir_.Path("eval")));
  EXPECT_TRUE(
      absl::EndsWith(status.message(), "remove " + dir_.Path(".set.manifest")))
      << status;
}

TEST_F(ManifestTest, FilesThatNoManifestListsPass) {
  EXPECT_TRUE(Check("foreign", DigestOf({"c"})).ok());
  EXPECT_TRUE(ManifestCheck().Check("/nowhere/x", DigestOf({"c"})).ok());
}

TEST_F(ManifestTest, WhatIsNoManifestIsPassedOver) {
  for (const char* text :
       {"", "{", "[]", "{}", "{\"files\":3}", "{\"files\":[3]}",
        "{\"files\":[{\"name\":\"eval\"}]}",
        "{\"files\":[{\"name\":\"eval\",\"records\":-1,\"bytes\":1,"
        "\"crc32c\":1}]}"}) {
    ASSERT_TRUE(WriteFileAtomically(dir_.Path(".set.manifest"), text).ok());
    EXPECT_TRUE(Check("eval", DigestOf({"c"})).ok()) << text;
  }
}

}  // namespace
}  // namespace continuo
