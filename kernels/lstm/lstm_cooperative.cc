// SPDX-License-Identifier: Apache-2.0

#include "kernels/lstm/lstm_cooperative.h"

#include <algorithm>

#include "kernels/common/precision.h"
#include "kernels/lstm/lstm_gpu_forms.h"
#include "runtime/base/ceil_div.h"

namespace continuo {
namespace {

// More rows a slice than this would not make the step's barrier cheaper.
constexpr int64_t kMaxChunks = 8;

template <Precision precision, int units, bool backward>
std::optional<LstmCooperativeLaunch> Make(const LstmShape& shape, bool cluster,
                                          const GpuProperties& gpu) {
  using Product = LstmCooperativeProduct<precision, units, backward>;
  const int64_t k = (backward ? 4 : 1) * shape.units;
  const int64_t steps = CeilDiv(k, Product::kStepK);
  LstmCooperativeLaunch launch;
  launch.blocks = static_cast<int>(shape.units / units);
  launch.warp_steps = static_cast<int>(CeilDiv(steps, Product::kSplits));
  launch.operand_stride =
      static_cast<int>(k) * Product::kOperandBytes + Product::kOperandPad;
  const int64_t weights =
      int64_t{std::max(0, launch.warp_steps - kLstmCooperativeRegisterSteps)} *
      kLstmCooperativeStepRegisters * sizeof(float) * kLstmCooperativeThreads;
  const int64_t sums = int64_t{2} * Product::kSums * sizeof(float);
  const int64_t operand_chunk = kLstmCooperativeRows * launch.operand_stride;
  const int64_t state_chunk =
      kLstmCooperativeRows * units * (backward ? 2 : 1) * sizeof(float);
  const int64_t buffers = cluster ? 2 : 1;
  const int64_t fit = (gpu.shared_bytes_per_block - weights - sums) /
                      (buffers * operand_chunk + state_chunk);
  const int64_t groups =
      std::min<int64_t>(gpu.multiprocessors, kLstmMaxBlocks) / launch.blocks;
  if (fit < 1 || groups < 1) return std::nullopt;
  // As few rows a slice as keep all groups at work on one slice each.
  const int64_t chunks =
      std::max<int64_t>(1, CeilDiv(shape.rows, kLstmCooperativeRows));
  const int64_t slice = std::min({CeilDiv(chunks, groups), fit, kMaxChunks});
  launch.slice_rows = static_cast<int>(slice * kLstmCooperativeRows);
  launch.slices = static_cast<int>(CeilDiv(chunks, slice));
  launch.groups = static_cast<int>(std::min<int64_t>(groups, launch.slices));
  launch.operand_bytes = static_cast<int>(slice * operand_chunk);
  launch.sums_offset = static_cast<int>(buffers * launch.operand_bytes);
  launch.state_offset = static_cast<int>(launch.sums_offset + sums);
  launch.weights_offset =
      static_cast<int>(launch.state_offset + slice * state_chunk);
  launch.shared_bytes = static_cast<int>(launch.weights_offset + weights);
  return launch;
}

template <Precision precision, int units>
std::optional<LstmCooperativeLaunch> MakePass(const LstmShape& shape,
                                              bool backward, bool cluster,
                                              const GpuProperties& gpu) {
  return backward ? Make<precision, units, true>(shape, cluster, gpu)
                  : Make<precision, units, false>(shape, cluster, gpu);
}

bool Fits(const LstmShape& shape, Precision precision, LstmForm form,
          const GpuProperties& gpu) {
  return MakeLstmCooperativeLaunch(shape, precision, form, false, gpu) &&
         MakeLstmCooperativeLaunch(shape, precision, form, true, gpu);
}

}  // namespace

std::optional<LstmCooperativeLaunch> MakeLstmCooperativeLaunch(
    const LstmShape& shape, Precision precision, LstmForm form, bool backward,
    const GpuProperties& gpu) {
  const bool cluster = form == LstmForm::kCluster;
  const int units = LstmCooperativeUnits(form, precision);
  const int64_t blocks = shape.units / units;
  if (shape.units == 0 || shape.units % units != 0) return std::nullopt;
  // A single block has no peers to synchronize with; the block form covers it.
  // 8 blocks are the most that every device with clusters can run as one.
  if (blocks < 2 || blocks > (cluster ? 8 : kLstmCooperativeMaxBlocks)) {
    return std::nullopt;
  }
  if (gpu.compute_capability < (cluster ? 90 : 80)) return std::nullopt;
  return WithPrecision(
      precision,
      [&]<Precision kPrecision>() -> std::optional<LstmCooperativeLaunch> {
        if constexpr (kPrecision == Precision::kBf16) {
          if (units == 64) {
            return MakePass<kPrecision, 64>(shape, backward, cluster, gpu);
          }
        }
        return MakePass<kPrecision, 32>(shape, backward, cluster, gpu);
      });
}

namespace gpu {

bool LstmClusterFits(const LstmShape& shape, Precision precision,
                     const GpuProperties& gpu) {
  return Fits(shape, precision, LstmForm::kCluster, gpu);
}

bool LstmGridFits(const LstmShape& shape, Precision precision,
                  const GpuProperties& gpu) {
  return Fits(shape, precision, LstmForm::kGrid, gpu);
}

}  // namespace gpu
}  // namespace continuo
