// SPDX-License-Identifier: Apache-2.0

// The persistent forms of the LSTM and the plain one. The contract of each is
// that of LstmForward and LstmBackward; kernels/lstm/lstm_form.h says when a
// form may be called.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_GPU_FORMS_H_
#define CONTINUO_KERNELS_LSTM_LSTM_GPU_FORMS_H_

#include "absl/status/status.h"
#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_form.h"

namespace continuo::gpu {

absl::Status LstmStepwiseForward(const Stream& stream,
                                 const LstmForwardArgs& args);
absl::Status LstmStepwiseBackward(const Stream& stream,
                                  const LstmBackwardArgs& args);

absl::Status LstmBlockForward(const Stream& stream,
                              const LstmForwardArgs& args);
absl::Status LstmBlockBackward(const Stream& stream,
                               const LstmBackwardArgs& args);

bool LstmClusterFits(const LstmShape& shape, Precision precision,
                     const GpuProperties& gpu);
absl::Status LstmClusterForward(const Stream& stream,
                                const LstmForwardArgs& args);
absl::Status LstmClusterBackward(const Stream& stream,
                                 const LstmBackwardArgs& args);

bool LstmGridFits(const LstmShape& shape, Precision precision,
                  const GpuProperties& gpu);
absl::Status LstmGridForward(const Stream& stream, const LstmForwardArgs& args);
absl::Status LstmGridBackward(const Stream& stream,
                              const LstmBackwardArgs& args);

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_GPU_FORMS_H_
