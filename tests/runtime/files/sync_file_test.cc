// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/sync_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using ::continuo::testing::ScratchDir;

TEST(SyncFileTest, WhatWasWrittenIsInTheFile) {
  const ScratchDir dir;
  const std::string path = dir.Path("log");
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("one line\n", file);
  EXPECT_TRUE(SyncFile(file, path).ok());
  EXPECT_EQ(*ReadFile(path), "one line\n");
  std::fclose(file);
}

TEST(SyncFileTest, APipeHasNothingToSync) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::FILE* file = fdopen(ends[1], "w");
  ASSERT_NE(file, nullptr);
  std::fputs("x", file);
  EXPECT_TRUE(SyncFile(file, "pipe").ok());
  std::fclose(file);
  close(ends[0]);
}

TEST(SyncFileTest, AFullDiskIsAnErrorThatNamesTheFile) {
  struct stat full;
  if (stat("/dev/full", &full) != 0 || !S_ISCHR(full.st_mode)) {
    GTEST_SKIP() << "no /dev/full";
  }
  std::FILE* file = std::fopen("/dev/full", "w");
  ASSERT_NE(file, nullptr);
  std::fputs("x", file);
  const absl::Status status = SyncFile(file, "/some/log");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "/some/log: ")) << status;
  std::fclose(file);
}

}  // namespace
}  // namespace continuo
