// SPDX-License-Identifier: Apache-2.0

// Which form of the LSTM a GPU runs. Functions of sizes alone, so that a test
// without a device can ask for any device.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_FORM_H_
#define CONTINUO_KERNELS_LSTM_LSTM_FORM_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "runtime/device/device.h"
#include "runtime/device/gpu_properties.h"

namespace continuo {

enum class LstmForm {
  kStepwise,  // a product and a gate kernel a step: any size; the oracle
  kBlock,     // weights on chip in each thread block, which owns rows
  kCluster,   // weights on chip in a cluster of blocks, which owns rows
  kGrid       // weights on chip in the whole grid, synchronized every step
};
const char* LstmFormName(LstmForm form);

struct LstmShape {
  int64_t rows = 0;   // N, the most there can be
  int64_t steps = 0;  // T
  int64_t units = 0;  // h
};

// How the block form is launched, forward and backward.
struct LstmBlockLaunch {
  int units = 0;    // of the kernel: the least of 32, 64, 128 that holds h
  int threads = 0;  // a block: a warp for each 16 units
  int rows = 0;     // a block
  int64_t blocks = 0;
  int shared_bytes = 0;  // the larger of the two passes
};
inline constexpr int kLstmBlockMaxUnits = 128;
LstmBlockLaunch MakeLstmBlockLaunch(const LstmShape& shape,
                                    Precision precision);

// Even numbers of units up to 128 whose weights a block can hold.
bool LstmBlockFits(const LstmShape& shape, Precision precision,
                   const GpuProperties& gpu);

// Whether any persistent form can run the shape.
bool LstmPersistentFits(const LstmShape& shape, Precision precision,
                        const GpuProperties& gpu);

// The form that `options` ask for; automatic: a persistent one where it fits
// and there is more than one step to keep the weights for. InvalidArgument
// where a persistent form is asked for and none fits.
absl::StatusOr<LstmForm> ChooseLstmForm(const LstmShape& shape,
                                        const ComputeOptions& options,
                                        const GpuProperties& gpu);

namespace gpu {
bool LstmLaunchesPerStep(const Stream& stream, const LstmShape& shape);
}  // namespace gpu

// Whether the stream's form launches work for each step, so that a layout of
// more than one step needs its host arrays and cannot be recorded to run with
// others of the same T.
inline bool LstmLaunchesPerStep(const Stream& stream, const LstmShape& shape) {
  if constexpr (kHasCuda) {
    if (stream.device.type == DeviceType::kCuda) {
      return gpu::LstmLaunchesPerStep(stream, shape);
    }
  }
  return false;
}

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_LSTM_FORM_H_
