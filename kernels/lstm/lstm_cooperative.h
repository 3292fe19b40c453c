// SPDX-License-Identifier: Apache-2.0

// How the LSTM's cluster and grid forms share a layer: a group of thread blocks
// holds the recurrent weights on chip, each block those of its own units, and
// takes slices of the batch through all their steps. The blocks of a group
// synchronize once a step, when each has made its part of h (forward) or dz
// (backward).
//
// A group is a thread-block cluster, which passes h and dz on through
// distributed shared memory, or some blocks of a cooperative grid, which do so
// through the arrays themselves.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_H_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_H_

#include <cstdint>
#include <optional>

#include "kernels/lstm/lstm_form.h"
#include "runtime/device/device.h"
#include "runtime/device/gpu_properties.h"

namespace continuo {

inline constexpr int kLstmCooperativeThreads = 256;
inline constexpr int kLstmCooperativeWarps = kLstmCooperativeThreads / 32;
// Rows that a product takes at once, and a slice is a multiple of: the N of
// mma.sync, and a row for each warp to do the gates of.
inline constexpr int kLstmCooperativeRows = 8;
// A warp's weights come in steps of 16 registers (2 KB). The first steps stay
// in registers, 128 KB of a block's weights; the rest is in shared memory.
inline constexpr int kLstmCooperativeStepRegisters = 16;
inline constexpr int kLstmCooperativeRegisterSteps = 8;
inline constexpr int kLstmCooperativeMaxBlocks = 16;

// The product of one block in one pass: [rows, kK] times its [kK, kColumns] of
// the weights. Forward, the columns are the 4 gates of its units and kK is h;
// backward, the columns are its units and kK is 4 h. A warp has kWarpColumns of
// the columns and one of kSplits ranges of kK; sums of the ranges are added in
// order.
template <Precision precision, int units, bool backward>
struct LstmCooperativeProduct {
  static constexpr Precision kPrecision = precision;
  static constexpr int kUnits = units;
  static constexpr bool kBackward = backward;
  static constexpr bool kSimt = precision == Precision::kFp32;
  static constexpr int kOperandBytes = precision == Precision::kBf16 ? 2 : 4;
  static constexpr int kColumns = backward ? units : 4 * units;
  // Two tiles of mma.sync; 4 columns of each lane in the exact form, where
  // backward a quarter of the lanes has them all.
  static constexpr int kWarpColumns = kSimt && !backward ? 128 : 32;
  static constexpr int kSplits =
      kLstmCooperativeWarps * kWarpColumns / kColumns;
  // Bytes of a row of the left operand that one step of weights multiplies.
  static constexpr int kStepBytes = kSimt && !backward ? 16 : 64;
  static constexpr int kStepK = kStepBytes / kOperandBytes;
  // Bytes and floats that a row of the left operand and of the sums is longer:
  // the 16-byte loads of a quarter of a warp, 64 bytes of two rows, then meet
  // every bank once, and so do stores of the accumulators of mma.sync.
  static constexpr int kOperandPad = kSimt ? 0 : 64;
  static constexpr int kSumsStride = kColumns + (kSimt ? 0 : 4);
  static constexpr int kSums = kSplits * kLstmCooperativeRows * kSumsStride;
  static_assert(kColumns % kWarpColumns == 0 &&
                kLstmCooperativeWarps * kWarpColumns % kColumns == 0);
};

// How a pass is launched: `groups` groups of `blocks` blocks, which take the
// `slices` of `slice_rows` rows of the batch in turn. Offsets are in bytes of
// shared memory.
struct LstmCooperativeLaunch {
  int blocks = 0;
  int groups = 0;
  int slices = 0;
  int slice_rows = 0;
  int warp_steps = 0;      // steps of weights of a warp
  int operand_stride = 0;  // bytes between rows of the left operand
  int operand_bytes = 0;   // of one of its buffers: 2 in a cluster, 1 in a grid
  int sums_offset = 0;     // two buffers, taken in turn
  int state_offset = 0;    // c (and dc) of the block's units
  int weights_offset = 0;
  int shared_bytes = 0;
};

// Nothing where the form cannot run the shape: numbers of units that do not
// divide into blocks' shares, weights that no group holds, devices without
// clusters.
std::optional<LstmCooperativeLaunch> MakeLstmCooperativeLaunch(
    const LstmShape& shape, Precision precision, LstmForm form, bool backward,
    const GpuProperties& gpu);

// Units of a block. In a cluster 8 blocks are the most that any device of its
// kind can run, so a block takes as much as it can hold.
constexpr int LstmCooperativeUnits(LstmForm form, Precision precision) {
  return form == LstmForm::kCluster && precision == Precision::kBf16 ? 64 : 32;
}

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_H_
