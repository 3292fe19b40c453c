// SPDX-License-Identifier: Apache-2.0

// Which layers groups of blocks hold, and how they are launched, on devices
// that need not be there.

#include "kernels/lstm/lstm_cooperative.h"

#include "gtest/gtest.h"
#include "kernels/lstm/lstm_gpu_forms.h"

namespace continuo {
namespace {

constexpr Precision kFp32 = Precision::kFp32;
constexpr Precision kTf32 = Precision::kTf32;
constexpr Precision kBf16 = Precision::kBf16;

// A100, H100, and an RTX 3090.
GpuProperties Gpu(int compute_capability) {
  GpuProperties gpu;
  gpu.compute_capability = compute_capability;
  gpu.multiprocessors = compute_capability == 80   ? 108
                        : compute_capability == 86 ? 82
                                                   : 132;
  gpu.shared_bytes_per_block = (compute_capability == 80   ? 163
                                : compute_capability == 86 ? 99
                                                           : 227) *
                               1024;
  return gpu;
}

bool Cluster(int units, Precision precision, int compute_capability) {
  return gpu::LstmClusterFits({.rows = 64, .steps = 100, .units = units},
                              precision, Gpu(compute_capability));
}
bool Grid(int units, Precision precision, int compute_capability) {
  return gpu::LstmGridFits({.rows = 64, .steps = 100, .units = units},
                           precision, Gpu(compute_capability));
}

TEST(LstmCooperativeTest, ClustersHoldTheLayersOfTheConfigs) {
  for (Precision precision : {kFp32, kTf32, kBf16}) {
    EXPECT_TRUE(Cluster(256, precision, 90));
    EXPECT_TRUE(Cluster(256, precision, 100));
    EXPECT_FALSE(Cluster(256, precision, 80)) << "has no clusters";
    EXPECT_FALSE(Cluster(250, precision, 90)) << "not divisible";
    EXPECT_FALSE(Cluster(0, precision, 90));
    EXPECT_FALSE(Cluster(1024, precision, 90));
  }
  EXPECT_TRUE(Cluster(512, kBf16, 90));
  EXPECT_FALSE(Cluster(512, kTf32, 90)) << "16 blocks are not portable";
  EXPECT_FALSE(Cluster(512, kFp32, 90));
}

TEST(LstmCooperativeTest, GridsHoldTheRest) {
  for (Precision precision : {kFp32, kTf32, kBf16}) {
    for (int device : {80, 86, 90, 100}) {
      EXPECT_TRUE(Grid(256, precision, device)) << device;
    }
    EXPECT_TRUE(Grid(512, precision, 90));
    EXPECT_FALSE(Grid(1024, precision, 90));
  }
  EXPECT_TRUE(Grid(512, kBf16, 80));
  EXPECT_TRUE(Grid(512, kBf16, 86));
  EXPECT_FALSE(Grid(512, kFp32, 80)) << "256 KB of weights a block";
  EXPECT_TRUE(Grid(416, kFp32, 80));
}

TEST(LstmCooperativeTest, AutomaticFormPrefersClusters) {
  const auto form = [](int units, Precision precision, int device) {
    return *ChooseLstmForm({.rows = 64, .steps = 100, .units = units},
                           {.precision = precision}, Gpu(device));
  };
  EXPECT_EQ(form(128, kBf16, 90), LstmForm::kBlock);
  EXPECT_EQ(form(256, kBf16, 90), LstmForm::kCluster);
  EXPECT_EQ(form(256, kBf16, 80), LstmForm::kGrid);
  EXPECT_EQ(form(512, kFp32, 90), LstmForm::kGrid);
  EXPECT_EQ(form(512, kFp32, 80), LstmForm::kStepwise);
  EXPECT_EQ(form(500, kFp32, 90), LstmForm::kStepwise);
}

TEST(LstmCooperativeTest, LaunchesCoverTheBatchAndFitTheDevice) {
  for (LstmForm form : {LstmForm::kCluster, LstmForm::kGrid}) {
    for (Precision precision : {kFp32, kTf32, kBf16}) {
      for (bool backward : {false, true}) {
        for (int64_t units : {128, 256, 512}) {
          for (int64_t rows : {1, 8, 9, 64, 130, 1000, 5000}) {
            GpuProperties gpu = Gpu(90);
            if (rows % 2 == 1) gpu.multiprocessors = 16;
            const auto launch = MakeLstmCooperativeLaunch(
                {.rows = rows, .steps = 100, .units = units}, precision, form,
                backward, gpu);
            if (!launch) continue;
            EXPECT_EQ(launch->blocks * LstmCooperativeUnits(form, precision),
                      units);
            EXPECT_LE(launch->blocks * launch->groups, gpu.multiprocessors);
            EXPECT_LE(launch->groups, launch->slices);
            EXPECT_EQ(launch->slice_rows % kLstmCooperativeRows, 0);
            EXPECT_GE(int64_t{launch->slices} * launch->slice_rows, rows);
            EXPECT_LT(int64_t{launch->slices - 1} * launch->slice_rows, rows);
            EXPECT_LE(launch->shared_bytes, gpu.shared_bytes_per_block);
          }
        }
      }
    }
  }
}

// Rows are put together only when every group has a slice.
TEST(LstmCooperativeTest, SlicesAreSmallWhileThereAreGroups) {
  const auto launch = [](int64_t rows) {
    return *MakeLstmCooperativeLaunch(
        {.rows = rows, .steps = 100, .units = 256}, kBf16, LstmForm::kCluster,
        false, Gpu(90));
  };
  EXPECT_EQ(launch(64).slice_rows, 8);
  EXPECT_EQ(launch(64).groups, 8);
  EXPECT_EQ(launch(33 * 8).slice_rows, 8);
  EXPECT_EQ(launch(33 * 8 + 1).slice_rows, 16);
}

}  // namespace
}  // namespace continuo
