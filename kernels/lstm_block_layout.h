// How the block-persistent LSTM lies in registers and shared memory. Numbers
// alone: kernels and launch shapes both read them here.

#ifndef CONTINUO_KERNELS_LSTM_BLOCK_LAYOUT_H_
#define CONTINUO_KERNELS_LSTM_BLOCK_LAYOUT_H_

#include <algorithm>

#include "kernels/lstm_form.h"
#include "runtime/device.h"

namespace continuo {

// Rows of kDepth operands of a product. bf16: 16 bytes between rows shift the
// banks. Float: multiples of 128 bytes, of which the places are exchanged.
template <Precision kPrecision, int kDepth>
inline constexpr int kLstmOperandRowBytes =
    kPrecision == Precision::kBf16 ? 2 * kDepth + 16 : 4 * kDepth;

template <Precision kPrecision, int kUnits, bool kBackward>
struct LstmBlockLayout {
  static constexpr bool kNarrow = kPrecision == Precision::kBf16;
  static constexpr int kThreads = 2 * kUnits;  // a warp for 16 units
  // The recurrent product: column tiles of 16, and the summed index.
  static constexpr int kTiles = kBackward ? 1 : 4;
  static constexpr int kDepth = kBackward ? 4 * kUnits : kUnits;
  // Rounds of 16 of the depth, and a thread's weights in one (32 bits each).
  static constexpr int kRounds = kDepth / 16;
  static constexpr int kNumbers = kTiles * (kNarrow ? 4 : 8);
  // Registers for weights: of the 255 that a thread of 256 can have, 64 hold
  // sums in the exact forward product and less than 24 in the others.
  static constexpr int kWeightRegisters =
      kPrecision == Precision::kFp32 && !kBackward ? 128 : 160;
  static constexpr int kRegisterRounds =
      std::min(kRounds, kWeightRegisters / kNumbers);
  static constexpr int kWeightBytes =
      (kRounds - kRegisterRounds) * kNumbers * 4 * kThreads;
  // Two operands: one is read while the next step's is written.
  static constexpr int kOperandBytes =
      kLstmBlockRows * kLstmOperandRowBytes<kPrecision, kDepth>;
  // What is read from global memory, a step ahead or, where the weights leave
  // room for that, two: pairs of units of a thread's two rows of the gates and,
  // backward, of dh and the c before.
  static constexpr int kStages = kWeightBytes == 0 ? 2 : 1;
  static constexpr int kGatePairBytes = kNarrow ? 4 : 8;
  static constexpr int kInputBytes =
      kThreads * (8 * kGatePairBytes + (kBackward ? 4 * 8 : 0));
  static constexpr int kSharedBytes =
      kWeightBytes + 2 * kOperandBytes + kStages * kInputBytes;
};

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_BLOCK_LAYOUT_H_
