// SPDX-License-Identifier: Apache-2.0

// Conversion and data sets as several processes, in the environments of
// launchers: together they write what one writes.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/records/shards.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "runtime/base/work_share.h"
#include "runtime/files/file.h"
#include "tests/testing/processes.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using testing::RunProcess;
using testing::ScratchDir;

// Of the files that all processes write, the records, sorted.
std::vector<std::string> AllRecords(const std::string& path, int size) {
  std::vector<std::string> records;
  for (int rank = 0; rank < size; ++rank) {
    auto reader =
        TfRecordReader::Open(ShareName(path, {.rank = rank, .size = size}));
    EXPECT_TRUE(reader.ok()) << reader.status();
    if (!reader.ok()) continue;
    for (auto record = (*reader)->Next(); record.ok();
         record = (*reader)->Next()) {
      records.emplace_back(*record);
    }
  }
  std::sort(records.begin(), records.end());
  return records;
}

// Books have several tunes each, of which every process has some.
TEST(SeveralProcessesTest, ConvertTheSequencesOfOne) {
  std::vector<std::string> one;
  for (const int size : {1, 2, 3}) {
    const ScratchDir dir;
    for (int rank = 0; rank < size; ++rank) {
      const auto run = RunProcess(
          dir, {.rank = rank, .size = size}, "convert_dir_to_note_sequences",
          absl::StrCat("--input_dir=", testing::ShellSource("tests/cases"),
                       " --recursive --threads=1 --output_file=",
                       dir.Path("notes"), " --report=", dir.Path("report")));
      ASSERT_EQ(run.code, 0) << run.err;
    }
    const auto records = AllRecords(dir.Path("notes"), size);
    if (size == 1) one = records;
    ASSERT_FALSE(records.empty());
    EXPECT_TRUE(records == one) << size;
  }
}

TEST(SeveralProcessesTest, MakeTheDataSetOfOne) {
  std::vector<std::string> one[2];
  for (const int size : {1, 2, 3}) {
    const ScratchDir dir;
    for (int rank = 0; rank < size; ++rank) {
      const auto run = RunProcess(
          dir, {.rank = rank, .size = size}, "melody_rnn_create_dataset",
          absl::StrCat("--config=attention_rnn --format=compact --dedup "
                       "--threads=1 --seed=4 --eval_ratio=0.3 --input=",
                       testing::ShellSource(
                           "tests/golden/pipelines/melody_rnn/input.tfrecord"),
                       " --output_dir=", dir.Path("data")));
      ASSERT_EQ(run.code, 0) << run.err;
    }
    const std::vector<std::string> sets[2] = {
        AllRecords(dir.Path("data/training_melodies.tfrecord"), size),
        AllRecords(dir.Path("data/eval_melodies.tfrecord"), size)};
    for (int set = 0; set < 2; ++set) {
      if (size == 1) one[set] = sets[set];
      ASSERT_FALSE(sets[set].empty());
      EXPECT_TRUE(sets[set] == one[set]) << size;
    }
  }
}

TEST(SeveralProcessesTest, WhatDoesNotFitTogetherIsRefused) {
  const ScratchDir dir;
  const WorkShare share = {.rank = 0, .size = 2};
  const std::string data = absl::StrCat(
      "--config=basic_rnn --input=",
      testing::ShellSource("tests/golden/pipelines/melody_rnn/input.tfrecord"),
      " --output_dir=", dir.Path("data"));
  const auto no_seed =
      RunProcess(dir, share, "melody_rnn_create_dataset", data);
  EXPECT_EQ(no_seed.code, 1);
  EXPECT_TRUE(absl::StrContains(no_seed.err, "--seed is required"))
      << no_seed.err;
  const auto shards = RunProcess(dir, share, "melody_rnn_create_dataset",
                                 data + " --seed=1 --num_shards=3");
  EXPECT_EQ(shards.code, 1);
  EXPECT_TRUE(absl::StrContains(shards.err, "--num_shards=3, but 2 processes"))
      << shards.err;
}

}  // namespace
}  // namespace continuo
