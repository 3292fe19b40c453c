// SPDX-License-Identifier: Apache-2.0

#include "data/records/shards.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::ScratchDir;

class ShardsTest : public ::testing::Test {
 protected:
  ShardsTest() {
    for (const std::string& name : ShardNames(dir_.Path("d"), 4)) Touch(name);
  }

  static void Touch(const std::string& path) {
    CONTINUO_CHECK(WriteFileAtomically(path, "x").ok());
  }

  // "path,path" in the folder, from names in it.
  std::string List(const std::vector<std::string>& names) const {
    std::vector<std::string> paths;
    for (const std::string& name : names) paths.push_back(dir_.Path(name));
    return absl::StrJoin(paths, ",");
  }

  // What is said about a spec that is refused.
  static std::string Refusal(
      const std::string& spec,
      absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
    const auto files = ShardFiles(spec);
    EXPECT_EQ(files.status().code(), code) << spec << " " << files.status();
    return std::string(files.status().message());
  }

  ScratchDir dir_;
};

TEST_F(ShardsTest, NamesHaveFiveDigits) {
  EXPECT_EQ(ShardNames("a.tfrecord", 1),
            std::vector<std::string>{"a.tfrecord"});
  EXPECT_EQ(ShardNames("a.tfrecord", 8)[7], "a.tfrecord-00007-of-00008");
}

TEST_F(ShardsTest, OrderDoesNotDependOnHowTheyAreNamed) {
  Touch(dir_.Path("c"));
  const std::vector<std::string> shards = ShardNames(dir_.Path("d"), 4);
  for (const std::string& spec :
       {dir_.Path("d-*"), dir_.Path("d@4"),
        List({"d-00003-of-00004", "d-00001-of-00004", "d-0000[0,2]*"}),
        dir_.Path("d-0000[0-3]-of-00004")}) {
    const auto files = ShardFiles(spec);
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ(*files, shards) << spec;
  }
  for (const std::string& spec :
       {List({"d@4", "c"}), List({"c", "d-*"}), dir_.Path("*")}) {
    const auto files = ShardFiles(spec);
    ASSERT_TRUE(files.ok()) << files.status();
    ASSERT_EQ(files->size(), 5) << spec;
    EXPECT_EQ(files->front(), dir_.Path("c"));
    EXPECT_EQ(files->back(), shards[3]);
  }
  // Relative and absolute names in one list.
  const std::string here = std::filesystem::current_path();
  ASSERT_EQ(chdir(dir_.Path().c_str()), 0);
  const auto files =
      ShardFiles(absl::StrCat("d-0000[1-3]*,", shards[0], ",./c"));
  ASSERT_EQ(chdir(here.c_str()), 0);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(absl::StrJoin(*files, " "),
            absl::StrCat("./c ", shards[0],
                         " d-00001-of-00004 d-00002-of-00004 "
                         "d-00003-of-00004"));
}

TEST_F(ShardsTest, AFileThatExistsMeansItself) {
  for (const char* name : {"a,b", "a@2", "a*", "d-00002-of-00004"}) {
    Touch(dir_.Path(name));
    const auto files = ShardFiles(dir_.Path(name));
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ(*files, std::vector<std::string>{dir_.Path(name)});
  }
  EXPECT_EQ(*ShardFiles("-"), std::vector<std::string>{"-"});
  Touch(dir_.Path("one"));
  EXPECT_EQ(*ShardFiles(dir_.Path("one@1")),
            std::vector<std::string>{dir_.Path("one")});
}

TEST_F(ShardsTest, AMissingShardIsNamed) {
  std::filesystem::remove(dir_.Path("d-00002-of-00004"));
  EXPECT_EQ(Refusal(dir_.Path("d@4"), absl::StatusCode::kNotFound),
            absl::StrCat(dir_.Path("d@4"), ": of 4 shards 1 are missing: ",
                         dir_.Path("d-00002-of-00004")));
  for (const std::string& spec :
       {dir_.Path("d-*"),
        List({"d-00000-of-00004", "d-00001-of-00004", "d-00003-of-00004"})}) {
    EXPECT_EQ(Refusal(spec),
              absl::StrCat(spec, ": ", dir_.Path("d-00002-of-00004"),
                           " is missing of a set of 4 shards, to which ",
                           dir_.Path("d-00000-of-00004"), " belongs"));
  }
  EXPECT_TRUE(absl::StrContains(
      Refusal(dir_.Path("e*"), absl::StatusCode::kNotFound), dir_.Path("e*")));
  EXPECT_TRUE(absl::StrContains(
      Refusal(List({"d-00000-of-00004", "e"}), absl::StatusCode::kNotFound),
      dir_.Path("e")));
  EXPECT_TRUE(absl::StrContains(
      Refusal(dir_.Path("e@70"), absl::StatusCode::kNotFound), "and 67 more"));
}

TEST_F(ShardsTest, APartOfASetIsRefusedUnlessItIsASingleFile) {
  EXPECT_TRUE(absl::StrContains(
      Refusal(dir_.Path("d-0000[0-2]*")),
      absl::StrCat("does not name ", dir_.Path("d-00003-of-00004"))));
  EXPECT_TRUE(ShardFiles(dir_.Path("d-00003-of-00004")).ok());
}

TEST_F(ShardsTest, AFileThatIsGivenTwiceIsNamed) {
  EXPECT_EQ(Refusal(List({"d-*", "d-00002-of-00004"})),
            absl::StrCat(dir_.Path("d-00002-of-00004"), ": is given twice"));
  std::filesystem::create_symlink(dir_.Path("d-00001-of-00004"),
                                  dir_.Path("link"));
  EXPECT_EQ(Refusal(List({"d@4", "link"})),
            absl::StrCat(dir_.Path("link"), ": is the same file as ",
                         dir_.Path("d-00001-of-00004"), "; give it once"));
  EXPECT_EQ(Refusal("-,-"), "-: is given twice");
}

TEST_F(ShardsTest, TwoSetsOfOneNameAreRefused) {
  for (const std::string& name : ShardNames(dir_.Path("d"), 2)) Touch(name);
  const std::string refusal = Refusal(dir_.Path("d-*"));
  EXPECT_TRUE(absl::StrContains(refusal, "is of another set than")) << refusal;
  EXPECT_TRUE(ShardFiles(dir_.Path("d@2")).ok());
  EXPECT_TRUE(ShardFiles(dir_.Path("d@4")).ok());
  // Training and evaluation may differ.
  for (const std::string& name : ShardNames(dir_.Path("e"), 3)) Touch(name);
  EXPECT_TRUE(ShardFiles(List({"d@4", "e-*"})).ok());
}

TEST_F(ShardsTest, AnEndingBehindTheNumberBelongsToTheSet) {
  Touch(dir_.Path("t-00000-of-00002.tfrecord"));
  EXPECT_TRUE(absl::StrContains(Refusal(dir_.Path("t*")),
                                dir_.Path("t-00001-of-00002.tfrecord")));
  Touch(dir_.Path("t-00001-of-00002.tfrecord"));
  EXPECT_TRUE(ShardFiles(dir_.Path("t*")).ok());
  EXPECT_TRUE(AreOfOneSet(dir_.Path("t-00000-of-00002.tfrecord"),
                          dir_.Path("t-00001-of-00002.tfrecord")));
  EXPECT_FALSE(AreOfOneSet(dir_.Path("t-00000-of-00002.tfrecord"),
                           dir_.Path("d-00001-of-00004")));
}

TEST_F(ShardsTest, OtherFilesMayBeThereTwice) {
  const std::vector<std::string> shards = ShardNames(dir_.Path("d"), 4);
  std::vector<std::string> paths = shards;
  paths.insert(paths.end(), {dir_.Path("tune.mid"), dir_.Path("tune.mid")});
  EXPECT_TRUE(CheckShardSets("x", paths).ok());
  paths.push_back(shards[1]);
  EXPECT_FALSE(CheckShardSets("x", paths).ok());
  EXPECT_FALSE(CheckShardSets("x", {shards[0], shards[2]}).ok());
}

TEST_F(ShardsTest, WhatMakesNoSenseIsRefused) {
  for (const std::string& spec : {std::string("d,,e"), std::string(","),
                                  dir_.Path("d@0"), dir_.Path("d@100000")}) {
    EXPECT_FALSE(ShardFiles(spec).ok()) << spec;
  }
}

}  // namespace
}  // namespace continuo
