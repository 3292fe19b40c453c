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

template <Precision kPrecision, int kUnits>
constexpr int SharedBytes() {
  return std::max(LstmBlockLayout<kPrecision, kUnits, false>::kSharedBytes,
                  LstmBlockLayout<kPrecision, kUnits, true>::kSharedBytes);
}

template <int kUnits>
LstmBlockLaunch LaunchOf(Precision precision, int64_t blocks) {
  LstmBlockLaunch launch = {
      .units = kUnits, .threads = 2 * kUnits, .blocks = blocks};
  switch (precision) {
    case Precision::kFp32:
      launch.shared_bytes = SharedBytes<Precision::kFp32, kUnits>();
      break;
    case Precision::kTf32:
      launch.shared_bytes = SharedBytes<Precision::kTf32, kUnits>();
      break;
    case Precision::kBf16:
      launch.shared_bytes = SharedBytes<Precision::kBf16, kUnits>();
      break;
  }
  return launch;
}

}  // namespace

LstmBlockLaunch MakeLstmBlockLaunch(const LstmShape& shape,
                                    Precision precision) {
  const int64_t blocks = (shape.rows + kLstmBlockRows - 1) / kLstmBlockRows;
  if (shape.units <= 32) return LaunchOf<32>(precision, blocks);
  if (shape.units <= 64) return LaunchOf<64>(precision, blocks);
  return LaunchOf<128>(precision, blocks);
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
                     " at this precision: give --rnn_form=auto or stepwise"));
  }
  return LstmForm::kStepwise;
}

}  // namespace continuo
