// SPDX-License-Identifier: Apache-2.0

// The product of one thread block of a group: rows times the block's share of
// the recurrent weights, which stay on chip for the whole launch.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_PRODUCT_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_PRODUCT_CUH_

#include "kernels/lstm/lstm_cooperative_mma.cuh"
#include "kernels/lstm/lstm_cooperative_simt.cuh"

namespace continuo::gpu {

// The weights of one warp, and their product.
template <typename Product>
class WarpWeights {
 public:
  // `shared`: the block's part of shared memory for weights.
  __device__ WarpWeights(const GroupWeights& weights,
                         const LstmCooperativeLaunch& launch, uint4* shared) {
    const int warp = threadIdx.x / 32;
    const int k = (Product::kBackward ? 4 : 1) * weights.units;
    const int all = (k + Product::kStepK - 1) / Product::kStepK;
    column_ = warp / Product::kSplits * Product::kWarpColumns;
    split_ = warp % Product::kSplits;
    begin_ = split_ * launch.warp_steps;
    steps_ = max(0, min(launch.warp_steps, all - begin_));
    const int shared_steps =
        max(0, launch.warp_steps - kLstmCooperativeRegisterSteps);
    shared_ = shared + warp * shared_steps * kVectors * 32 + threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < kLstmCooperativeRegisterSteps; ++i) {
      if (i < steps_) {
        Load(weights, i, registers_[i]);
      } else {
#pragma unroll
        for (uint32_t& zero : registers_[i]) zero = 0;
      }
    }
    for (int i = kLstmCooperativeRegisterSteps; i < steps_; ++i) {
      uint32_t step[kLstmCooperativeStepRegisters];
      Load(weights, i, step);
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        SharedStep(i)[v * 32] = make_uint4(step[4 * v], step[4 * v + 1],
                                           step[4 * v + 2], step[4 * v + 3]);
      }
    }
  }

  // Sums of the warp's range of k for 8 rows of the left operand, into its
  // place in sums[kSplits][8][kSumsStride].
  __device__ void Multiply(const char* rows, int stride, float* sums) const {
    constexpr int kAhead = Warp::kAhead;
    rows += begin_ * Product::kStepBytes;
    Warp warp;
#pragma unroll
    for (int first = 0; first < kLstmCooperativeRegisterSteps;
         first += kAhead) {
      if (first >= steps_) break;
      typename Warp::Rows x[kAhead];
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        // The first is there; of others zeros, which the weights are too.
        if (i == 0 || first + i < steps_) {
          x[i].Load(rows + (first + i) * Product::kStepBytes, stride);
        }
      }
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        warp.Multiply(registers_[first + i], x[i]);
      }
    }
#pragma unroll(Product::kSimt ? 1 : 2)
    for (int i = kLstmCooperativeRegisterSteps; i < steps_; ++i) {
      typename Warp::Rows x;
      x.Load(rows + i * Product::kStepBytes, stride);
      uint32_t step[kLstmCooperativeStepRegisters];
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        const uint4 four = SharedStep(i)[v * 32];
        step[4 * v] = four.x;
        step[4 * v + 1] = four.y;
        step[4 * v + 2] = four.z;
        step[4 * v + 3] = four.w;
      }
      warp.Multiply(step, x);
    }
    warp.Store(sums + split_ * kLstmCooperativeRows * Product::kSumsStride +
               column_);
  }

 private:
  using Warp =
      std::conditional_t<Product::kSimt, GroupSimt<Product>, GroupMma<Product>>;
  static constexpr int kVectors = kLstmCooperativeStepRegisters / 4;

  __device__ void Load(const GroupWeights& weights, int i,
                       uint32_t* step) const {
    Warp::LoadStep(weights, (begin_ + i) * Product::kStepK, column_, step);
  }
  __device__ uint4* SharedStep(int i) const {
    return shared_ + (i - kLstmCooperativeRegisterSteps) * kVectors * 32;
  }

  uint32_t registers_[kLstmCooperativeRegisterSteps]
                     [kLstmCooperativeStepRegisters];
  uint4* shared_;
  int column_;
  int split_;
  int begin_;
  int steps_;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_PRODUCT_CUH_
