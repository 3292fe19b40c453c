// SPDX-License-Identifier: Apache-2.0

// The host side of the LSTM by groups of blocks (lstm_cooperative.h).

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_LAUNCH_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_LAUNCH_CUH_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/common/launch.cuh"
#include "kernels/common/precision.h"
#include "kernels/lstm/lstm_cooperative_backward.cuh"
#include "kernels/lstm/lstm_cooperative_forward.cuh"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo::gpu {

template <typename Gate>
GroupArgs<Gate> MakeGroupArgs(const LstmCooperativeLaunch& launch,
                              const LstmForwardArgs& args) {
  return {.launch = launch,
          .units = static_cast<int>(args.c.shape[1]),
          .steps = static_cast<int>(args.ragged.steps()),
          .batch_sizes = args.ragged.batch_sizes.data<int32_t>(),
          .step_begin = args.ragged.step_begin.data<int32_t>(),
          .weights = args.recurrent.data<float>(),
          .initial_c = args.initial_c.data<float>(),
          .initial_h = args.initial_h.data<float>(),
          .gates = Data<Gate>(args.gates),
          .c = args.c.data<float>(),
          .h = args.h.data<float>(),
          .dh = nullptr,
          .arrivals = reinterpret_cast<int32_t*>(args.scratch.data<float>())};
}

template <typename Gate>
GroupArgs<Gate> MakeGroupArgs(const LstmCooperativeLaunch& launch,
                              const LstmBackwardArgs& args) {
  return {.launch = launch,
          .units = static_cast<int>(args.c.shape[1]),
          .steps = static_cast<int>(args.ragged.steps()),
          .batch_sizes = args.ragged.batch_sizes.data<int32_t>(),
          .step_begin = args.ragged.step_begin.data<int32_t>(),
          .weights = args.recurrent_t.data<float>(),
          .initial_c = nullptr,
          .initial_h = nullptr,
          .gates = Data<Gate>(args.gates),
          .c = args.c.data<float>(),
          .h = nullptr,
          .dh = args.dh.data<float>(),
          .arrivals = reinterpret_cast<int32_t*>(args.scratch.data<float>())};
}

// Runs a pass: launcher.Groups<Product>(launch) says how many of the groups of
// a launch the device can run at once, launcher.Launch<Product>(stream,
// GroupArgs) launches them.
template <typename Product, typename Launcher, typename Args>
absl::Status RunPass(const Stream& stream, LstmForm form, const Args& args,
                     const Launcher& launcher) {
  const LstmShape shape = {.rows = args.ragged.rows,
                           .steps = args.ragged.steps(),
                           .units = args.c.shape[1]};
  if (shape.rows == 0 || shape.steps == 0) return absl::OkStatus();
  GpuProperties gpu = stream.cuda->properties();
  const auto plan = [&] {
    return MakeLstmCooperativeLaunch(shape, Product::kPrecision, form,
                                     Product::kBackward, gpu);
  };
  auto launch = plan();
  if (launch) {
    CONTINUO_ASSIGN_OR_RETURN(const int groups,
                              launcher.template Groups<Product>(*launch));
    if (groups < launch->groups) {
      // The others would wait for a first one to end: rather more rows each.
      gpu.multiprocessors = groups * launch->blocks;
      launch = plan();
    }
  }
  if (!launch) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", LstmFormName(form), " form of an LSTM of ",
                     shape.units, " units does not fit ", gpu.name));
  }
  using Gate = Operand<Product::kPrecision>;
  return launcher.template Launch<Product>(stream,
                                           MakeGroupArgs<Gate>(*launch, args));
}

template <LstmForm kForm, typename Launcher, typename Args>
absl::Status RunGroups(const Stream& stream, const Args& args,
                       const Launcher& launcher) {
  constexpr bool kBackward = std::is_same_v<Args, LstmBackwardArgs>;
  return WithPrecision(stream.options.precision, [&]<Precision kPrecision>() {
    return RunPass<LstmCooperativeProduct<
        kPrecision, LstmCooperativeUnits(kForm, kPrecision), kBackward>>(
        stream, kForm, args, launcher);
  });
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_LAUNCH_CUH_
