#include "kernels/lstm_form.h"

#include <algorithm>

#include "kernels/lstm_block_layout.h"
#include "kernels/lstm_persistent.h"
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

namespace {

template <Precision kPrecision, int kUnits, int kRows>
constexpr int SharedBytes() {
  return std::max(
      LstmBlockLayout<kPrecision, kUnits, kRows, false>::kSharedBytes,
      LstmBlockLayout<kPrecision, kUnits, kRows, true>::kSharedBytes);
}

template <int kUnits>
void SetUnits(Precision precision, LstmBlockLaunch* launch) {
  launch->units = kUnits;
  launch->threads = 2 * kUnits;
  switch (precision) {
    case Precision::kFp32:
      launch->shared_bytes = launch->rows == 4
                                 ? SharedBytes<Precision::kFp32, kUnits, 4>()
                                 : SharedBytes<Precision::kFp32, kUnits, 8>();
      break;
    case Precision::kTf32:
      launch->shared_bytes = SharedBytes<Precision::kTf32, kUnits, 8>();
      break;
    case Precision::kBf16:
      launch->shared_bytes = SharedBytes<Precision::kBf16, kUnits, 8>();
      break;
  }
}

}  // namespace

LstmBlockLaunch MakeLstmBlockLaunch(const LstmShape& shape, Precision precision,
                                    const GpuProperties& gpu) {
  LstmBlockLaunch launch;
  // The exact product is bound by arithmetic: half as many rows take half as
  // long, as long as every block has a multiprocessor of its own.
  const bool few = shape.rows <= int64_t{4} * gpu.multiprocessors;
  launch.rows = precision == Precision::kFp32 && few ? 4 : 8;
  launch.blocks = (shape.rows + launch.rows - 1) / launch.rows;
  if (shape.units <= 32) {
    SetUnits<32>(precision, &launch);
  } else if (shape.units <= 64) {
    SetUnits<64>(precision, &launch);
  } else {
    SetUnits<128>(precision, &launch);
  }
  return launch;
}

bool LstmBlockFits(const LstmShape& shape, Precision precision,
                   const GpuProperties& gpu) {
  return shape.units > 0 && shape.units <= kLstmBlockMaxUnits &&
         shape.units % 2 == 0 &&
         MakeLstmBlockLaunch(shape, precision, gpu).shared_bytes <=
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
                     " at this precision: give --rnn_form=auto or stepwise"));
  }
  return LstmForm::kStepwise;
}

}  // namespace continuo
