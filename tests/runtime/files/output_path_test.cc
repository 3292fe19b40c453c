// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/output_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/fifo.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::MakeFifo;
using ::continuo::testing::ScratchDir;

TEST(CheckDistinctPathsTest, OneFileBySeveralNamesIsAnError) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("d/file"), "x").ok());
  ASSERT_EQ(symlink("d/file", dir.Path("link").c_str()), 0);
  ASSERT_EQ(symlink("d", dir.Path("folder").c_str()), 0);
  ASSERT_EQ(symlink("none", dir.Path("dead").c_str()), 0);
  MakeFifo(dir.Path("pipe"));
  ASSERT_EQ(symlink("pipe", dir.Path("pipe2").c_str()), 0);
  struct Case {
    std::string a;
    std::string b;
  };
  for (const Case& c : {Case{dir.Path("new"), dir.Path("new")},
                        Case{dir.Path("new"), dir.Path("d/../new")},
                        Case{dir.Path("d/new"), dir.Path("folder/new")},
                        Case{dir.Path("link"), dir.Path("d/file")},
                        Case{dir.Path("dead"), dir.Path("none")},
                        Case{dir.Path("pipe"), dir.Path("pipe2")},
                        Case{"-", "-"}, Case{"-", "/dev/stdout"}}) {
    const absl::Status status =
        CheckDistinctPaths({{"output", c.a}, {"report", c.b}});
    EXPECT_EQ(status.message(), "`output`=" + c.a + " and `report`=" + c.b +
                                    " are the same file; give each output its "
                                    "own");
  }
}

TEST(CheckDistinctPathsTest, DifferentFilesAreFine) {
  const ScratchDir dir;
  MakeFifo(dir.Path("one"));
  MakeFifo(dir.Path("two"));
  EXPECT_TRUE(CheckDistinctPaths({{"a", dir.Path("x")},
                                  {"b", dir.Path("y")},
                                  {"c", dir.Path("one")},
                                  {"d", dir.Path("two")},
                                  {"e", "-"},
                                  {"f", ""},
                                  {"g", ""},
                                  {"h", "/dev/null"},
                                  {"i", "/dev/null"},
                                  {"j", "/dev/stderr"}})
                  .ok());
}

TEST(CheckDistinctPathsTest, AnOutputOverAnInputIsAnError) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("in"), "x").ok());
  ASSERT_EQ(symlink("in", dir.Path("link").c_str()), 0);
  const absl::Status status = CheckDistinctPaths({{"output", dir.Path("link")}},
                                                 {{"input", dir.Path("in")}});
  EXPECT_TRUE(absl::StrContains(status.message(),
                                " would be written over the input `input`="))
      << status;
  EXPECT_TRUE(CheckDistinctPaths({{"output", dir.Path("out")}},
                                 {{"input", dir.Path("in")}})
                  .ok());
  // Streams are two ends, not one place.
  EXPECT_TRUE(CheckDistinctPaths({{"output", "-"}}, {{"input", "-"}}).ok());
}

TEST(CheckEndingTest, AWrongEndingListsTheRightOnes) {
  const auto check = [](const std::string& path) {
    return CheckEnding({"output", path}, "a picture", {".png", ".svg"});
  };
  EXPECT_EQ(check("x.jpg").message(),
            "`output`=x.jpg: a picture is written; give a name that ends in "
            ".png or .svg");
  EXPECT_FALSE(check("png").ok());
  EXPECT_TRUE(check("x.png").ok());
  EXPECT_TRUE(check("X.SVG").ok());
}

TEST(CheckEndingTest, WhatBecomesNoFileNeedsNone) {
  const ScratchDir dir;
  MakeFifo(dir.Path("pipe"));
  for (const std::string& path :
       {std::string("-"), std::string("/dev/null"), dir.Path("pipe")}) {
    EXPECT_TRUE(CheckEnding({"output", path}, "a picture", {".png"}).ok());
  }
}

}  // namespace
}  // namespace continuo
