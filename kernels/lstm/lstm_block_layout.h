// SPDX-License-Identifier: Apache-2.0

// How the block-persistent LSTM lies in registers and shared memory. Numbers
// alone: kernels and launch shapes both read them here.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_LAYOUT_H_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_LAYOUT_H_

#include <algorithm>

#include "runtime/device/device.h"

namespace continuo {

// Bytes of a row of kDepth operands of a product. bf16: 16 bytes between rows
// shift the banks. Float: multiples of 128 bytes, of which the places are
// exchanged.
template <Precision kPrecision, int kDepth>
inline constexpr int kLstmOperandRowBytes =
    kPrecision == Precision::kBf16 ? 2 * kDepth + 16 : 4 * kDepth;

// The pass of a kernel for up to kUnits units.
template <Precision kPrecision_, int kUnits_, bool kBackward_>
struct LstmBlockLayout {
  static constexpr Precision kPrecision = kPrecision_;
  static constexpr int kUnits = kUnits_;
  static constexpr bool kBackward = kBackward_;
  static constexpr bool kSimt = kPrecision == Precision::kFp32;
  static constexpr bool kNarrow = kPrecision == Precision::kBf16;
  static constexpr int kThreads = 2 * kUnits;  // a warp for 16 units
  // Rows of a block. The tensor cores multiply 8 at once. The exact product is
  // bound by arithmetic: fewer rows are done sooner, on more multiprocessors.
  static constexpr int kRows = kSimt ? 4 : 8;
  // Rows whose cells a thread owns, each with two units.
  static constexpr int kThreadRows = kRows / 4;

  // The recurrent product: column tiles of 16, and the summed index.
  static constexpr int kTiles = kBackward ? 1 : 4;
  static constexpr int kDepth = kBackward ? 4 * kUnits : kUnits;
  // In exact fp32, the unit pairs whose sums a thread takes a slice of, so that
  // a number of the operand serves 8 multiply-adds.
  static constexpr int kPairs = kSimt && kBackward ? 4 : 1;
  // Weights come in rounds of the depth; a thread's in one (32 bits each).
  static constexpr int kRoundDepth = 16 * kPairs;
  static constexpr int kRounds = kDepth / kRoundDepth;
  static constexpr int kNumbers = kTiles * (kNarrow ? 4 : 8) * kPairs;
  // Of the 255 registers that a thread of 256 can have, 160 hold weights; sums
  // take 32.
  static constexpr int kRegisterRounds = std::min(kRounds, 160 / kNumbers);
  static constexpr int kWeightBytes =
      (kRounds - kRegisterRounds) * kNumbers * 4 * kThreads;

  // Two operands: one is read while the next step's is written.
  static constexpr int kOperandBytes =
      kRows * kLstmOperandRowBytes<kPrecision, kDepth>;
  // What is read from global memory, a step ahead or, where the weights leave
  // room for that, two: pairs of units of a thread's rows of the gates and,
  // backward, of dh and the c before.
  static constexpr int kStages = kWeightBytes == 0 ? 2 : 1;
  static constexpr int kGateBytes =
      kThreads * kThreadRows * 4 * (kNarrow ? 4 : 8);
  static constexpr int kInputBytes =
      kGateBytes + (kBackward ? kThreads * kThreadRows * 2 * 8 : 0);
  static constexpr int kSharedBytes =
      kWeightBytes + 2 * kOperandBytes + kStages * kInputBytes;
};

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_LAYOUT_H_
