// SPDX-License-Identifier: Apache-2.0

// The LSTM by groups of thread blocks, clusters and grids, against a double
// loop and the step-wise form.

#include "kernels/lstm/lstm_gpu_forms.h"
#include "runtime/device/cuda_stream.h"
#include "tests/kernels/lstm/lstm_device.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class LstmGroupsTest : public FormTest {
 protected:
  // Calls fn for each form of groups that this device has for n units.
  template <typename Fn>
  void ForEachForm(int n, const Fn& fn) const {
    const LstmShape shape = {.rows = 64, .steps = 64, .units = n};
    const Precision precision = GetParam().precision;
    const GpuProperties& gpu = stream().cuda->properties();
    LstmRunner runner(stream());
    if (gpu::LstmClusterFits(shape, precision, gpu)) {
      SCOPED_TRACE("cluster");
      runner.forward = [this](const LstmForwardArgs& args) {
        return gpu::LstmClusterForward(stream(), args);
      };
      runner.backward = [this](const LstmBackwardArgs& args) {
        return gpu::LstmClusterBackward(stream(), args);
      };
      fn(runner);
    }
    if (gpu::LstmGridFits(shape, precision, gpu)) {
      SCOPED_TRACE("grid");
      runner.forward = [this](const LstmForwardArgs& args) {
        return gpu::LstmGridForward(stream(), args);
      };
      runner.backward = [this](const LstmBackwardArgs& args) {
        return gpu::LstmGridBackward(stream(), args);
      };
      fn(runner);
    }
  }
  double GroupTolerance() const { return Tolerance(3e-6, 2e-3, 1.5e-2); }

  // Both passes against the double loop and the step-wise form.
  void Check(const std::vector<int>& lengths, int n, bool initial) const {
    SCOPED_TRACE(n);
    Problem p(lengths, n);
    const Floats dh = Random(p.ragged.events() * n, 3);
    const DoubleState state = Reference(p, Doubles(p.z.begin(), p.z.end()));
    const Doubles dz = ReferenceBackward(p, state, dh);
    const LstmResult given = {Floats(state.gates.begin(), state.gates.end()),
                              Floats(state.c.begin(), state.c.end()),
                              Floats(state.h.begin(), state.h.end())};
    Stream plain = stream();
    plain.options.form = RecurrentForm::kStepwise;
    const LstmRunner stepwise(plain);
    const Floats stepwise_dz = stepwise.Backward(p, given, dh);
    ForEachForm(n, [&](const LstmRunner& group) {
      const Floats got = group.Backward(p, given, dh);
      ExpectNear(got, dz, GroupTolerance());
      ExpectNear(got, stepwise_dz, GroupTolerance());
    });
    if (initial) p.StartFromState();
    const DoubleState want =
        initial ? Reference(p, Doubles(p.z.begin(), p.z.end())) : state;
    const LstmResult stepwise_result = stepwise.Forward(p);
    ForEachForm(n, [&](const LstmRunner& group) {
      const LstmResult got = group.Forward(p);
      ExpectNear(got.c, want.c, GroupTolerance());
      ExpectNear(got.h, want.h, GroupTolerance());
      ExpectNear(got.gates, want.gates, GroupTolerance());
      ExpectNear(got.c, stepwise_result.c, GroupTolerance());
      ExpectNear(got.h, stepwise_result.h, GroupTolerance());
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, LstmGroupsTest,
                         ::testing::ValuesIn(kForms + 1, std::end(kForms)),
                         FormName);

TEST_P(LstmGroupsTest, MatchesDoubleLoop) {
  for (const auto& lengths : Lengths())
    Check(lengths, 128, lengths.size() == 4);
  Check({4, 4, 3, 3, 2, 2, 2, 1, 1}, 192, true);
  Check({2, 2, 1}, 256, false);
  Check({3, 2, 1}, 512, true);
}

// More rows than a group takes at a time, on devices of up to 16
// multiprocessors also more slices than there are groups.
TEST_P(LstmGroupsTest, ManyRows) {
  std::vector<int> lengths;
  for (int row = 0; row < 53; ++row) lengths.push_back(4 - row / 16);
  Check(lengths, 256, true);
}

TEST_P(LstmGroupsTest, RowsHaveTheSameBitsAlone) {
  ForEachForm(128, [&](const LstmRunner& group) {
    ExpectSameBitsAlone(group, {5, 5, 5, 5, 5, 5, 4, 4, 3, 3, 2}, 128);
  });
}

TEST_P(LstmGroupsTest, RecordedRunsWithOtherLayouts) {
  ForEachForm(128, [&](const LstmRunner& group) {
    ExpectRecordedRuns(group, 17, 4,
                       {std::vector<int>(17, 4), {3, 3, 2, 1}, {4}}, 128,
                       GroupTolerance());
  });
}

TEST_P(LstmGroupsTest, RefusesWhatDoesNotFit) {
  const Problem p({1}, 95);
  const int n = p.n;
  GateArray gates(stream(), GateType(stream()), p.z);
  DeviceRaggedLayout ragged(stream(), p.ragged);
  DeviceArray<float> recurrent = Put(p.recurrent);
  DeviceArray<float> c = NewFloats(n), h = NewFloats(n);
  DeviceArray<float> scratch = NewFloats(LstmScratch(stream(), 1, n));
  const LstmForwardArgs args = {.ragged = ragged.view(),
                                .recurrent = recurrent.vector(),
                                .gates = gates.matrix(4 * n),
                                .c = c.matrix(n),
                                .h = h.matrix(n),
                                .scratch = scratch.vector()};
  EXPECT_EQ(gpu::LstmClusterForward(stream(), args).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(gpu::LstmGridForward(stream(), args).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace continuo
