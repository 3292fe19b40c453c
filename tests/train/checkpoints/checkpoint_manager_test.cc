// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/checkpoint_manager.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::ScratchDir;

constexpr absl::Duration kStart = absl::Hours(300);

TensorMap OneTensor(float value) {
  TensorMap tensors;
  tensors["w"] = {
      .dtype = DType::kFloat32, .shape = {1}, .floats = {value}, .ints = {}};
  return tensors;
}

std::vector<std::string> Indexes(const ScratchDir& dir) {
  return testing::ListFiles(dir.Path(), ".index");
}

TEST(CheckpointManagerTest, KeepsTheNewest) {
  const ScratchDir dir;
  auto keeper = CheckpointManager::Open(dir.Path(), 2, kStart);
  ASSERT_TRUE(keeper.ok());
  for (int step : {0, 5, 10, 15}) {
    const auto prefix = keeper->Save(step, OneTensor(step), kStart);
    ASSERT_TRUE(prefix.ok()) << prefix.status();
    EXPECT_EQ(*LatestCheckpoint(dir.Path()), *prefix);
  }
  EXPECT_EQ(Indexes(dir), (std::vector<std::string>{"model.ckpt-10.index",
                                                    "model.ckpt-15.index"}));
  EXPECT_EQ(testing::ListFiles(dir.Path(), "-00001").size(), 2);
  EXPECT_EQ(ReadCheckpoint(dir.Path())->at("w").floats[0], 15);
  EXPECT_EQ(ReadCheckpointState(dir.Path())->all.size(), 2);
}

TEST(CheckpointManagerTest, ZeroKeepsAll) {
  const ScratchDir dir;
  auto keeper = CheckpointManager::Open(dir.Path(), 0, kStart);
  for (int step = 0; step < 15; ++step) {
    ASSERT_TRUE(keeper->Save(step, OneTensor(step), kStart).ok());
  }
  EXPECT_EQ(Indexes(dir).size(), 15);
}

TEST(CheckpointManagerTest, OnePerHourStays) {
  const ScratchDir dir;
  auto keeper = CheckpointManager::Open(dir.Path(), 1, kStart);
  for (int minute = 0; minute <= 180; minute += 20) {
    ASSERT_TRUE(
        keeper->Save(minute, OneTensor(0), kStart + absl::Minutes(minute))
            .ok());
  }
  // The first saved after each full hour, and the newest.
  EXPECT_EQ(Indexes(dir), (std::vector<std::string>{"model.ckpt-140.index",
                                                    "model.ckpt-180.index",
                                                    "model.ckpt-80.index"}));
}

TEST(CheckpointManagerTest, GoesOnWithWhatAnotherProcessSaved) {
  const ScratchDir dir;
  for (int step : {1, 2, 3}) {
    auto keeper = CheckpointManager::Open(dir.Path(), 2, kStart);
    ASSERT_TRUE(keeper.ok());
    ASSERT_TRUE(keeper->Save(step, OneTensor(0), kStart).ok());
  }
  EXPECT_EQ(Indexes(dir), (std::vector<std::string>{"model.ckpt-2.index",
                                                    "model.ckpt-3.index"}));
}

TEST(CheckpointManagerTest, WhatComesAfterTheRestoredOneDoesNotCount) {
  const ScratchDir dir;
  {
    auto keeper = CheckpointManager::Open(dir.Path(), 2, kStart);
    ASSERT_TRUE(keeper->Save(1, OneTensor(0), kStart).ok());
    ASSERT_TRUE(keeper->Save(5, OneTensor(0), kStart).ok());
  }
  auto keeper =
      CheckpointManager::Open(dir.Path(), 2, kStart, dir.Path("model.ckpt-1"));
  ASSERT_TRUE(keeper.ok());
  ASSERT_TRUE(keeper->Save(3, OneTensor(0), kStart).ok());
  EXPECT_EQ(Indexes(dir), (std::vector<std::string>{"model.ckpt-1.index",
                                                    "model.ckpt-3.index",
                                                    "model.ckpt-5.index"}));
  EXPECT_EQ(*ListCheckpoints(dir.Path()),
            (std::vector<std::string>{dir.Path("model.ckpt-3"),
                                      dir.Path("model.ckpt-1")}));
}

TEST(CheckpointManagerTest, ACopyNamesItsOwnCheckpoints) {
  const ScratchDir original;
  auto first = CheckpointManager::Open(original.Path(), 3, kStart);
  ASSERT_TRUE(first->Save(1, OneTensor(1), kStart).ok());
  const ScratchDir parent;
  const std::string copy = parent.Path("copy");
  std::filesystem::copy(original.Path(), copy);
  auto keeper = CheckpointManager::Open(copy, 3, kStart);
  ASSERT_TRUE(keeper.ok());
  ASSERT_TRUE(keeper->Save(2, OneTensor(2), kStart).ok());
  EXPECT_EQ(ReadCheckpointState(copy)->all,
            (std::vector<std::string>{JoinPath(copy, "model.ckpt-1"),
                                      JoinPath(copy, "model.ckpt-2")}));
}

TEST(CheckpointManagerTest, NeverRemovesFilesElsewhere) {
  const ScratchDir dir;
  const ScratchDir other;
  const std::string precious = other.Path("model.ckpt-1.index");
  ASSERT_TRUE(WriteFileAtomically(precious, "x").ok());
  ASSERT_TRUE(WriteCheckpointState(dir.Path(), {other.Path("model.ckpt-1"),
                                                {other.Path("model.ckpt-1")}})
                  .ok());
  auto keeper = CheckpointManager::Open(dir.Path(), 1, kStart);
  ASSERT_TRUE(keeper.ok());
  ASSERT_TRUE(keeper->Save(2, OneTensor(0), kStart).ok());
  EXPECT_TRUE(FileExists(precious));
}

TEST(CheckpointManagerTest, AFailedSaveLeavesTheOldOnes) {
  const ScratchDir dir;
  auto keeper = CheckpointManager::Open(dir.Path(), 1, kStart);
  ASSERT_TRUE(keeper->Save(1, OneTensor(1), kStart).ok());
  // A folder in the way of the data file, as if the disk could not be written.
  ASSERT_TRUE(
      MakeDirectories(dir.Path("model.ckpt-2.data-00000-of-00001/x")).ok());
  const auto failed = keeper->Save(2, OneTensor(2), kStart);
  ASSERT_FALSE(failed.ok());
  EXPECT_TRUE(absl::StrContains(failed.status().message(), "model.ckpt-2"))
      << failed.status();
  EXPECT_EQ(ReadCheckpoint(dir.Path())->at("w").floats[0], 1);
}

}  // namespace
}  // namespace continuo
