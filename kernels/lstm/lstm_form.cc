// SPDX-License-Identifier: Apache-2.0

#include "kernels/lstm/lstm_form.h"

#include <algorithm>

#include "kernels/common/precision.h"
#include "kernels/lstm/lstm_block_layout.h"
#include "kernels/lstm/lstm_gpu_forms.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/status.h"

namespace continuo {

const char* LstmFormName(LstmForm form) {
  switch (form) {
    case LstmForm::kStepwise:
      return "stepwise";
    case LstmForm::kBlock:
      return "block";
    case LstmForm::kCluster:
      return "cluster";
    case LstmForm::kGrid:
      return "grid";
  }
  return "";
}

namespace {

template <Precision kPrecision, int kUnits>
void SetLayout(LstmBlockLaunch* launch) {
  using Forward = LstmBlockLayout<kPrecision, kUnits, false>;
  using Backward = LstmBlockLayout<kPrecision, kUnits, true>;
  launch->units = kUnits;
  launch->threads = Forward::kThreads;
  launch->rows = Forward::kRows;
  launch->shared_bytes =
      std::max(Forward::kSharedBytes, Backward::kSharedBytes);
}

template <int kUnits>
void SetUnits(Precision precision, LstmBlockLaunch* launch) {
  WithPrecision(precision, [launch]<Precision kPrecision>() {
    SetLayout<kPrecision, kUnits>(launch);
  });
}

}  // namespace

LstmBlockLaunch MakeLstmBlockLaunch(const LstmShape& shape,
                                    Precision precision) {
  LstmBlockLaunch launch;
  if (shape.units <= 32) {
    SetUnits<32>(precision, &launch);
  } else if (shape.units <= 64) {
    SetUnits<64>(precision, &launch);
  } else {
    SetUnits<128>(precision, &launch);
  }
  launch.blocks = CeilDiv(shape.rows, launch.rows);
  return launch;
}

bool LstmBlockFits(const LstmShape& shape, Precision precision,
                   const GpuProperties& gpu) {
  return shape.units > 0 && shape.units <= kLstmBlockMaxUnits &&
         shape.units % 2 == 0 &&
         MakeLstmBlockLaunch(shape, precision).shared_bytes <=
             gpu.shared_bytes_per_block;
}

bool LstmPersistentFits(const LstmShape& shape, Precision precision,
                        const GpuProperties& gpu) {
  return LstmBlockFits(shape, precision, gpu) ||
         gpu::LstmClusterFits(shape, precision, gpu) ||
         gpu::LstmGridFits(shape, precision, gpu);
}

absl::StatusOr<LstmForm> ChooseLstmForm(const LstmShape& shape,
                                        const ComputeOptions& options,
                                        const GpuProperties& gpu) {
  if (options.form == RecurrentForm::kStepwise) return LstmForm::kStepwise;
  if (options.form == RecurrentForm::kAuto && shape.steps <= 1) {
    return LstmForm::kStepwise;
  }
  if (LstmBlockFits(shape, options.precision, gpu)) return LstmForm::kBlock;
  if (gpu::LstmClusterFits(shape, options.precision, gpu)) {
    return LstmForm::kCluster;
  }
  if (gpu::LstmGridFits(shape, options.precision, gpu)) return LstmForm::kGrid;
  if (options.form == RecurrentForm::kPersistent) {
    return absl::InvalidArgumentError(
        absl::StrCat("no persistent form of an LSTM of ", shape.units,
                     " units and ", shape.rows, " rows fits ", gpu.name,
                     " at this precision: give `rnn_form`=auto or stepwise"));
  }
  return LstmForm::kStepwise;
}

}  // namespace continuo
