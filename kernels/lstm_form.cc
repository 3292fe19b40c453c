#include "kernels/lstm_form.h"

#include <algorithm>

#include "runtime/status.h"

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

bool LstmBlockFits(const LstmShape& shape, Precision precision,
                   const GpuProperties& gpu) {
  // The kernel is not there yet.
  return false && shape.units > 0 && precision == Precision::kFp32 &&
         gpu.compute_capability > 0;
}

bool LstmPersistentFits(const LstmShape& shape, Precision precision,
                        const GpuProperties& gpu) {
  return LstmBlockFits(shape, precision, gpu);
}

absl::StatusOr<LstmForm> ChooseLstmForm(const LstmShape& shape,
                                        const ComputeOptions& options,
                                        const GpuProperties& gpu) {
  if (options.form == RecurrentForm::kStepwise) return LstmForm::kStepwise;
  if (options.form == RecurrentForm::kAuto && shape.steps <= 1) {
    return LstmForm::kStepwise;
  }
  if (LstmBlockFits(shape, options.precision, gpu)) return LstmForm::kBlock;
  if (options.form == RecurrentForm::kPersistent) {
    return absl::InvalidArgumentError(
        absl::StrCat("no persistent form of an LSTM of ", shape.units,
                     " units and ", shape.rows, " rows fits ", gpu.name,
                     " at this precision: give --rnn_form=auto or stepwise"));
  }
  return LstmForm::kStepwise;
}

}  // namespace continuo
