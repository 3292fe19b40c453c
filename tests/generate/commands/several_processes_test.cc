// SPDX-License-Identifier: Apache-2.0

// The generate and score commands as several processes, in the environments of
// launchers: together they give what one gives.

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/records/shards.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "runtime/base/work_share.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/processes.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using testing::RunProcess;
using testing::ScratchDir;

std::string Bundle() {
  return absl::StrCat(
      " --threads=1 --bundle_file=",
      testing::ShellSource("tests/golden/bundles/attention_rnn.mag"));
}

// Of the files that all processes write, the lines, sorted.
std::vector<std::string> AllLines(const std::string& path, int size) {
  std::vector<std::string> lines;
  for (int rank = 0; rank < size; ++rank) {
    const std::string text =
        testing::MustRead(ShareName(path, {.rank = rank, .size = size}));
    for (absl::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.emplace_back(line);
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST(SeveralProcessesTest, GenerateTheFilesOfOne) {
  std::vector<std::string> one;
  for (const int size : {1, 2, 3}) {
    const ScratchDir dir;
    for (int rank = 0; rank < size; ++rank) {
      const auto run = RunProcess(
          dir, {.rank = rank, .size = size}, "melody_rnn_generate",
          absl::StrCat(Bundle(), " --output_dir=", dir.Path("out"),
                       " --num_outputs=5 --num_steps=32 --seed=3 --report=",
                       dir.Path("report")));
      ASSERT_EQ(run.code, 0) << run.err;
    }
    // Names begin with the time.
    std::vector<std::string> files;
    for (const std::string& name :
         testing::ListFiles(dir.Path("out"), ".mid")) {
      files.push_back(
          absl::StrCat(name.substr(name.find_last_of('_')), " ",
                       testing::MustRead(JoinPath(dir.Path("out"), name))));
    }
    std::sort(files.begin(), files.end());
    ASSERT_EQ(files.size(), 5u);
    if (size == 1) one = files;
    EXPECT_TRUE(files == one) << size;
    EXPECT_EQ(AllLines(dir.Path("report"), size).size(), 5u);
  }
}

TEST(SeveralProcessesTest, ScoreTheLinesOfOne) {
  std::vector<std::string> one;
  std::vector<std::string> report_of_one;
  double likelihood_of_one = 0;
  for (const int size : {1, 2, 3}) {
    const ScratchDir dir;
    for (int rank = 0; rank < size; ++rank) {
      const auto run = RunProcess(
          dir, {.rank = rank, .size = size}, "melody_rnn_score",
          absl::StrCat(Bundle(), " --input=",
                       testing::ShellSource(
                           "tests/golden/pipelines/melody_rnn/input.tfrecord"),
                       " --output=", dir.Path("scores"), " --report=",
                       dir.Path("report"), " --summary=", dir.Path("summary")));
      ASSERT_EQ(run.code, 0) << run.err;
    }
    double likelihood = 0;
    for (const std::string& line : AllLines(dir.Path("summary"), size)) {
      likelihood += nlohmann::json::parse(line, nullptr, false)
                        .value("log_likelihood", 0.0);
    }
    if (size == 1) {
      one = AllLines(dir.Path("scores"), size);
      report_of_one = AllLines(dir.Path("report"), size);
      likelihood_of_one = likelihood;
    }
    ASSERT_FALSE(one.empty());
    EXPECT_EQ(AllLines(dir.Path("scores"), size), one);
    EXPECT_EQ(AllLines(dir.Path("report"), size), report_of_one);
    EXPECT_NEAR(likelihood, likelihood_of_one, 1e-6 * -likelihood_of_one);
  }
}

TEST(SeveralProcessesTest, WhatWouldGetMixedUpIsRefused) {
  const ScratchDir dir;
  const WorkShare share = {.rank = 1, .size = 2};
  const auto generate =
      RunProcess(dir, share, "melody_rnn_generate",
                 absl::StrCat(Bundle(), " --output_dir=", dir.Path("out")));
  EXPECT_EQ(generate.code, 1);
  EXPECT_TRUE(absl::StrContains(generate.err, "--seed is required"))
      << generate.err;
  const auto score = RunProcess(
      dir, share, "melody_rnn_score",
      absl::StrCat(Bundle(),
                   " --input=", testing::ShellSource("scripts/tunes")));
  EXPECT_EQ(score.code, 1);
  EXPECT_TRUE(absl::StrContains(score.err, "--output must be a file"))
      << score.err;
}

}  // namespace
}  // namespace continuo
