// SPDX-License-Identifier: Apache-2.0

// Which form of the LSTM runs, on devices that need not be there.

#include "kernels/lstm/lstm_form.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

GpuProperties NamedGpu(int compute_capability) {
  GpuProperties gpu;
  gpu.name = "a device";
  gpu.compute_capability = compute_capability;
  gpu.multiprocessors = compute_capability == 80 ? 108 : 132;
  gpu.shared_bytes_per_block = (compute_capability == 80 ? 163 : 227) * 1024;
  gpu.shared_bytes_per_multiprocessor = gpu.shared_bytes_per_block + 1024;
  return gpu;
}

TEST(LstmFormTest, StepwiseOnRequestAndForOneStep) {
  const LstmShape shape = {.rows = 64, .steps = 100, .units = 128};
  EXPECT_EQ(
      *ChooseLstmForm(shape, {.form = RecurrentForm::kStepwise}, NamedGpu(90)),
      LstmForm::kStepwise);
  EXPECT_EQ(
      *ChooseLstmForm({.rows = 64, .steps = 1, .units = 128}, {}, NamedGpu(90)),
      LstmForm::kStepwise);
}

TEST(LstmFormTest, RefusesAPersistentFormThatDoesNotFit) {
  const LstmShape shape = {.rows = 64, .steps = 100, .units = 33};
  const auto form =
      ChooseLstmForm(shape, {.form = RecurrentForm::kPersistent}, NamedGpu(90));
  ASSERT_FALSE(form.ok());
  EXPECT_EQ(form.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*ChooseLstmForm(shape, {}, NamedGpu(90)), LstmForm::kStepwise);
}

TEST(LstmFormTest, BlocksHoldUpTo128Units) {
  for (int compute_capability : {80, 90, 100}) {
    const GpuProperties gpu = NamedGpu(compute_capability);
    for (Precision precision :
         {Precision::kFp32, Precision::kTf32, Precision::kBf16}) {
      for (int64_t units : {2, 16, 64, 98, 128}) {
        const LstmShape shape = {.rows = 64, .steps = 2, .units = units};
        EXPECT_TRUE(LstmBlockFits(shape, precision, gpu)) << units;
        EXPECT_TRUE(LstmPersistentFits(shape, precision, gpu)) << units;
        EXPECT_EQ(*ChooseLstmForm(shape, {.precision = precision}, gpu),
                  LstmForm::kBlock);
      }
      for (int64_t units : {1, 31, 127, 130, 256}) {
        const LstmShape shape = {.rows = 64, .steps = 2, .units = units};
        EXPECT_FALSE(LstmBlockFits(shape, precision, gpu)) << units;
      }
    }
  }
}

// Devices with 99 KB a block hold 128 units in bf16 alone.
TEST(LstmFormTest, SmallDevicesRefuseWideWeights) {
  GpuProperties gpu = NamedGpu(80);
  gpu.compute_capability = 86;
  gpu.shared_bytes_per_block = 99 * 1024;
  const LstmShape wide = {.rows = 8, .steps = 9, .units = 128};
  const LstmShape narrow = {.rows = 8, .steps = 9, .units = 64};
  EXPECT_TRUE(LstmBlockFits(wide, Precision::kBf16, gpu));
  EXPECT_FALSE(LstmBlockFits(wide, Precision::kTf32, gpu));
  EXPECT_FALSE(LstmBlockFits(wide, Precision::kFp32, gpu));
  EXPECT_TRUE(LstmBlockFits(narrow, Precision::kTf32, gpu));
  EXPECT_TRUE(LstmBlockFits(narrow, Precision::kFp32, gpu));
}

TEST(LstmFormTest, LaunchOfTheBlockForm) {
  const LstmBlockLaunch launch = MakeLstmBlockLaunch(
      {.rows = 65, .steps = 9, .units = 98}, Precision::kBf16);
  EXPECT_EQ(launch.units, 128);
  EXPECT_EQ(launch.threads, 256);
  EXPECT_EQ(launch.rows, 8);
  EXPECT_EQ(launch.blocks, 9);
  // bf16 keeps all weights in registers: what is shared are two operands of 8
  // rows and 520 numbers, and two stages of 64 bytes a thread.
  EXPECT_EQ(launch.shared_bytes, 2 * 8 * 520 * 2 + 2 * 256 * 64);
}

TEST(LstmFormTest, ExactBlocksHaveHalfTheRows) {
  const LstmBlockLaunch launch = MakeLstmBlockLaunch(
      {.rows = 65, .steps = 9, .units = 32}, Precision::kFp32);
  EXPECT_EQ(launch.threads, 64);
  EXPECT_EQ(launch.rows, 4);
  EXPECT_EQ(launch.blocks, 17);
}

}  // namespace
}  // namespace continuo
