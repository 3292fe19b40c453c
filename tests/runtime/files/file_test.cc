// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/file.h"

#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/testing/fifo.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::FifoWriter;
using ::continuo::testing::MakeFifo;
using ::continuo::testing::ScratchDir;

TEST(ReadFileTest, AFileOfHolesIsRefusedBeforeMemoryIsTaken) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("huge"), "x").ok());
  if (truncate(dir.Path("huge").c_str(), int64_t{1} << 40) != 0) {
    GTEST_SKIP() << "no files of 1 TB here";
  }
  for (const int64_t limit : {int64_t{1000}, int64_t{1} << 30}) {
    const auto bytes = ReadFile(dir.Path("huge"), limit);
    EXPECT_TRUE(absl::IsResourceExhausted(bytes.status())) << bytes.status();
    EXPECT_TRUE(absl::StrContains(bytes.status().message(),
                                  "huge: file is larger than the limit of"));
  }
}

TEST(ReadFileTest, ALongPipeIsRefusedToo) {
  const ScratchDir dir;
  MakeFifo(dir.Path("pipe"));
  const FifoWriter writer(dir.Path("pipe"), std::string(1001, 'x'));
  EXPECT_TRUE(absl::IsResourceExhausted(
      ReadFile(dir.Path("pipe"), /*max_bytes=*/1000).status()));
}

TEST(GlobTest, TakesWhatIsNoRegularFile) {
  const ScratchDir dir;
  MakeFifo(dir.Path("pipe"));
  EXPECT_EQ(*Glob(dir.Path("pipe")), std::vector{dir.Path("pipe")});
  EXPECT_EQ(*Glob(dir.Path("p*")), std::vector{dir.Path("pipe")});
  EXPECT_EQ(*Glob("-"), std::vector<std::string>{"-"});
}

TEST(MakeDirectoriesTest, TellsWhatItMade) {
  const ScratchDir dir;
  std::vector<std::string> made;
  ASSERT_TRUE(MakeDirectories(dir.Path("a"), &made).ok());
  ASSERT_TRUE(MakeDirectories(dir.Path("a/b/c/"), &made).ok());
  ASSERT_TRUE(MakeDirectories(dir.Path("a/b"), &made).ok());
  EXPECT_EQ(made,
            (std::vector{dir.Path("a"), dir.Path("a/b"), dir.Path("a/b/c")}));
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "x").ok());
  EXPECT_TRUE(absl::StrContains(MakeDirectories(dir.Path("file/x")).message(),
                                "file: cannot create directory"));
}

}  // namespace
}  // namespace continuo
