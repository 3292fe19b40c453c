// SPDX-License-Identifier: Apache-2.0

// The LSTM on every device, at every precision and in every form, against a
// double loop.

#include <algorithm>

#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_form.h"
#include "runtime/device/cuda_stream.h"
#include "tests/kernels/lstm/lstm_device.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class LstmFormsTest : public FormTest {
 protected:
  Stream WithForm(RecurrentForm form) const {
    Stream stream = this->stream();
    stream.options.form = form;
    return stream;
  }
  // Calls fn with a stream for each form that can run the problem.
  template <typename Fn>
  void ForEachForm(const Problem& p, const Fn& fn) const {
    if (!on_gpu()) return fn(stream());
    {
      SCOPED_TRACE("stepwise");
      fn(WithForm(RecurrentForm::kStepwise));
    }
    const LstmShape shape = {
        .rows = p.ragged.rows(), .steps = p.ragged.steps(), .units = p.n};
    const bool fits = LstmPersistentFits(shape, GetParam().precision,
                                         stream().cuda->properties());
    EXPECT_TRUE(fits || p.n % 2 != 0 || p.n > kLstmBlockMaxUnits);
    if (fits) {
      SCOPED_TRACE("persistent");
      fn(WithForm(RecurrentForm::kPersistent));
    }
  }

  static LstmResult Forward(const Stream& stream, const Problem& p) {
    return LstmRunner(stream).Forward(p);
  }
  static Floats Backward(const Stream& stream, const Problem& p,
                         const LstmResult& r, const Floats& dh) {
    return LstmRunner(stream).Backward(p, r, dh);
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, LstmFormsTest, ::testing::ValuesIn(kForms),
                         FormName);

constexpr int kSizes[] = {1, 31, 33, 130, 16, 64, 98, 128};

TEST_P(LstmFormsTest, ForwardMatchesDoubleLoop) {
  for (const auto& lengths : Lengths()) {
    for (int n : kSizes) {
      SCOPED_TRACE(n);
      Problem p(lengths, n);
      if (lengths.size() == 4) p.StartFromState();
      const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
      ForEachForm(p, [&](const Stream& stream) {
        const LstmResult r = Forward(stream, p);
        ExpectNear(r.c, want.c, Tolerance(3e-6, 2e-3, 1.5e-2));
        ExpectNear(r.h, want.h, Tolerance(3e-6, 2e-3, 1.5e-2));
        ExpectNear(r.gates, want.gates, Tolerance(3e-6, 2e-3, 1.5e-2));
      });
    }
  }
}

TEST_P(LstmFormsTest, BackwardMatchesDoubleLoop) {
  for (const auto& lengths : Lengths()) {
    for (int n : kSizes) {
      SCOPED_TRACE(n);
      const Problem p(lengths, n);
      const Floats dh = Random(p.ragged.events() * n, 3);
      const DoubleState state = Reference(p, Doubles(p.z.begin(), p.z.end()));
      const Doubles want = ReferenceBackward(p, state, dh);
      LstmResult given = {Floats(state.gates.begin(), state.gates.end()),
                          Floats(state.c.begin(), state.c.end()),
                          Floats(state.h.begin(), state.h.end())};
      ForEachForm(p, [&](const Stream& stream) {
        ExpectNear(Backward(stream, p, given, dh), want,
                   Tolerance(3e-6, 2e-3, 1.5e-2));
      });
    }
  }
}

// More rows than a block of the persistent form has, and more steps than any
// form looks ahead.
TEST_P(LstmFormsTest, ManyRowsAndSteps) {
  for (int n : {64, 128}) {
    SCOPED_TRACE(n);
    Problem p({30, 30, 29, 21, 17, 16, 9, 9, 9, 8, 8, 8, 7, 3, 2, 2, 1}, n);
    const Floats dh = Random(p.ragged.events() * n, 3);
    const DoubleState state = Reference(p, Doubles(p.z.begin(), p.z.end()));
    const Doubles dz = ReferenceBackward(p, state, dh);
    const double tolerance = Tolerance(4e-6, 2e-3, 2e-2);
    ForEachForm(p, [&](const Stream& stream) {
      const LstmResult r = Forward(stream, p);
      ExpectNear(r.h, state.h, tolerance);
      ExpectNear(Backward(stream, p, r, dh), dz, tolerance);
    });
  }
}

TEST_P(LstmFormsTest, OneStepFromAState) {
  for (int n : {33, 64, 128}) {
    Problem p({1, 1, 1, 1, 1, 1, 1, 1, 1}, n);
    p.StartFromState();
    const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
    ForEachForm(p, [&](const Stream& stream) {
      const LstmResult r = Forward(stream, p);
      ExpectNear(r.c, want.c, Tolerance(3e-6, 2e-3, 1.5e-2));
      ExpectNear(r.h, want.h, Tolerance(3e-6, 2e-3, 1.5e-2));
    });
  }
}

// The persistent form gives a row the same bits whatever rows are beside it.
TEST_P(LstmFormsTest, RowsHaveTheSameBitsAlone) {
  if (!on_gpu()) return;
  ExpectSameBitsAlone(LstmRunner(WithForm(RecurrentForm::kPersistent)),
                      {6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 4, 4, 3}, 98);
}

TEST_P(LstmFormsTest, NoSteps) {
  const Problem p({}, 32);
  ForEachForm(p, [&](const Stream& stream) {
    EXPECT_TRUE(Forward(stream, p).h.empty());
    EXPECT_TRUE(Backward(stream, p, LstmResult(), {}).empty());
  });
}

TEST_P(LstmFormsTest, RecordedRunsWithOtherLayouts) {
  if (!on_gpu()) return;
  ExpectRecordedRuns(
      LstmRunner(stream()), 17, 6,
      {std::vector<int>(17, 6), {4, 4, 3, 1}, {6}, {5, 5, 5, 4, 3, 3, 3, 2, 2}},
      64, Tolerance(3e-6, 2e-3, 1.5e-2));
}

TEST_P(LstmFormsTest, StepwiseNeedsHostArraysForSeveralSteps) {
  if (!on_gpu()) return;
  const int n = 33;
  const Stream stepwise = WithForm(RecurrentForm::kStepwise);
  for (int steps : {1, 2}) {
    Problem p({steps, steps, steps}, n);
    p.StartFromState();
    DeviceRaggedLayout ragged(stepwise, p.ragged);
    RaggedLayout view = ragged.view();
    view.host_batch_sizes = view.host_step_begin = nullptr;
    GateArray gates(stepwise, GateType(stepwise), p.z);
    DeviceArray<float> recurrent = Pack(p.recurrent, 4 * n);
    DeviceArray<float> initial_c = Put(p.initial_c);
    DeviceArray<float> initial_h = Put(p.initial_h);
    DeviceArray<float> c = NewFloats(p.ragged.events() * n);
    DeviceArray<float> h = NewFloats(p.ragged.events() * n);
    DeviceArray<float> scratch = NewFloats(LstmScratch(stepwise, 3, n));
    const absl::Status status =
        LstmForward(stepwise, {.ragged = view,
                               .recurrent = recurrent.vector(),
                               .initial_c = initial_c.matrix(n),
                               .initial_h = initial_h.matrix(n),
                               .gates = gates.matrix(4 * n),
                               .c = c.matrix(n),
                               .h = h.matrix(n),
                               .scratch = scratch.vector()});
    const LstmShape shape = {.rows = 3, .steps = steps, .units = n};
    EXPECT_EQ(LstmLaunchesPerStep(stepwise, shape), steps > 1);
    if (steps > 1) {
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
      continue;
    }
    ASSERT_TRUE(status.ok()) << status;
    const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
    ExpectNear(ToFloats(h.Read()), want.h, Tolerance(3e-6, 2e-3, 1.5e-2));
  }
}

}  // namespace
}  // namespace continuo
