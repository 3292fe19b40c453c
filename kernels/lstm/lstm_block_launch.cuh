// SPDX-License-Identifier: Apache-2.0

// Launching the block-persistent LSTM: what both passes share.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_LAUNCH_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_LAUNCH_CUH_

#include "absl/status/status.h"
#include "kernels/common/launch.cuh"
#include "kernels/common/precision.h"
#include "kernels/lstm/lstm_block_layout.h"
#include "kernels/lstm/lstm_form.h"

namespace continuo::gpu {

// Returns fn.operator()<LstmBlockLayout<...>>(launch) for the layout of a
// shape.
template <bool kBackward, typename Fn>
absl::Status WithLstmBlockLayout(const Stream& stream, const LstmShape& shape,
                                 const Fn& fn) {
  const Precision precision = stream.options.precision;
  const LstmBlockLaunch launch = MakeLstmBlockLaunch(shape, precision);
  return WithPrecision(precision, [&]<Precision kPrecision>() {
    switch (launch.units) {
      case 32:
        return fn.template
        operator()<LstmBlockLayout<kPrecision, 32, kBackward>>(launch);
      case 64:
        return fn.template
        operator()<LstmBlockLayout<kPrecision, 64, kBackward>>(launch);
      default:
        return fn.template
        operator()<LstmBlockLayout<kPrecision, 128, kBackward>>(launch);
    }
  });
}

template <typename Layout, typename Kernel, typename Params>
absl::Status LaunchLstmBlock(const Stream& stream,
                             const LstmBlockLaunch& launch, Kernel kernel,
                             const Params& params) {
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           Layout::kSharedBytes));
  kernel<<<static_cast<unsigned>(launch.blocks), Layout::kThreads,
           Layout::kSharedBytes, stream.cuda->stream()>>>(params);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_LAUNCH_CUH_
