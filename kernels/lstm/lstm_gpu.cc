// SPDX-License-Identifier: Apache-2.0

// Chooses the form of the LSTM that a GPU runs.

#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_form.h"
#include "kernels/lstm/lstm_gpu_forms.h"
#include "runtime/base/log.h"
#include "runtime/base/log_once.h"
#include "runtime/base/status.h"
#include "runtime/device/cuda_stream.h"

namespace continuo::gpu {
namespace {

absl::StatusOr<LstmForm> Choose(const Stream& stream, const LstmShape& shape) {
  CONTINUO_ASSIGN_OR_RETURN(
      const LstmForm form,
      ChooseLstmForm(shape, stream.options, stream.cuda->properties()));
  if (MinLogLevel() <= LogLevel::kDebug) {
    LogDebugOnce(absl::StrCat(
        "LSTM of ", shape.units, " units, ", shape.rows, " rows, ", shape.steps,
        " steps on ", DeviceName(stream.device), ": ", LstmFormName(form)));
  }
  return form;
}

LstmShape ShapeOf(const RaggedLayout& ragged, const TensorView& c) {
  return {.rows = ragged.rows, .steps = ragged.steps(), .units = c.shape[1]};
}

}  // namespace

bool LstmLaunchesPerStep(const Stream& stream, const LstmShape& shape) {
  const auto form =
      ChooseLstmForm(shape, stream.options, stream.cuda->properties());
  return form.ok() && *form == LstmForm::kStepwise && shape.steps > 1;
}

absl::Status LstmForward(const Stream& stream, const LstmForwardArgs& args) {
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 4 * n && args.h.shape == args.c.shape);
  CONTINUO_CHECK(args.gates.dtype == GateType(stream));
  CONTINUO_CHECK(args.recurrent.num_elements() == 4 * n * n);
  const LstmShape shape = ShapeOf(args.ragged, args.c);
  if (shape.steps == 0 || shape.rows == 0) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const LstmForm form, Choose(stream, shape));
  switch (form) {
    case LstmForm::kStepwise:
      return LstmStepwiseForward(stream, args);
    case LstmForm::kBlock:
      return LstmBlockForward(stream, args);
    case LstmForm::kCluster:
      return LstmClusterForward(stream, args);
    case LstmForm::kGrid:
      return LstmGridForward(stream, args);
  }
  return absl::UnimplementedError(LstmFormName(form));
}

absl::Status LstmBackward(const Stream& stream, const LstmBackwardArgs& args) {
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 4 * n && args.dh.shape == args.c.shape);
  CONTINUO_CHECK(args.gates.dtype == GateType(stream));
  CONTINUO_CHECK(args.recurrent_t.num_elements() == 4 * n * n);
  const LstmShape shape = ShapeOf(args.ragged, args.c);
  if (shape.steps == 0 || shape.rows == 0) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const LstmForm form, Choose(stream, shape));
  switch (form) {
    case LstmForm::kStepwise:
      return LstmStepwiseBackward(stream, args);
    case LstmForm::kBlock:
      return LstmBlockBackward(stream, args);
    case LstmForm::kCluster:
      return LstmClusterBackward(stream, args);
    case LstmForm::kGrid:
      return LstmGridBackward(stream, args);
  }
  return absl::UnimplementedError(LstmFormName(form));
}

}  // namespace continuo::gpu
