// The LSTM on every device, at every precision and in every form, against a
// double loop.

#include <algorithm>

#include "kernels/lstm.h"
#include "kernels/lstm_form.h"
#include "runtime/cuda_stream.h"
#include "runtime/graph.h"
#include "runtime/status.h"
#include "tests/kernels/device_testing.h"
#include "tests/kernels/lstm_reference.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Result {
  Floats gates, c, h;
};

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
        .rows = p.schedule.rows(), .steps = p.schedule.steps(), .units = p.n};
    const bool fits = LstmPersistentFits(shape, GetParam().precision,
                                         stream().cuda->properties());
    EXPECT_TRUE(fits || p.n % 2 != 0 || p.n > kLstmBlockMaxUnits);
    if (fits) {
      SCOPED_TRACE("persistent");
      fn(WithForm(RecurrentForm::kPersistent));
    }
  }

  Result Forward(const Stream& stream, const Problem& p) const {
    const int n = p.n;
    GateArray gates(stream, GateType(stream), p.z);
    DeviceSchedule schedule(stream, p.schedule);
    DeviceArray<float> recurrent = Pack(p.recurrent, 4 * n);
    DeviceArray<float> initial_c = Put(p.initial_c);
    DeviceArray<float> initial_h = Put(p.initial_h);
    DeviceArray<float> c = NewFloats(p.schedule.events() * n);
    DeviceArray<float> h = NewFloats(p.schedule.events() * n);
    DeviceArray<float> scratch =
        NewFloats(LstmScratch(stream, p.schedule.rows(), n));
    const TensorView none;
    const bool given = !p.initial_c.empty();
    const absl::Status status =
        LstmForward(stream, {.schedule = schedule.view(),
                             .recurrent = recurrent.vector(),
                             .initial_c = given ? initial_c.matrix(n) : none,
                             .initial_h = given ? initial_h.matrix(n) : none,
                             .gates = gates.matrix(4 * n),
                             .c = c.matrix(n),
                             .h = h.matrix(n),
                             .scratch = scratch.vector()});
    EXPECT_TRUE(status.ok()) << status;
    return {ToFloats(gates.Read()), ToFloats(c.Read()), ToFloats(h.Read())};
  }

  // dz of the loss sum(dh * h), given the forward result.
  Floats Backward(const Stream& stream, const Problem& p, const Result& r,
                  const Floats& dh) const {
    const int n = p.n;
    GateArray gates(stream, GateType(stream), r.gates);
    DeviceSchedule schedule(stream, p.schedule);
    DeviceArray<float> recurrent_t = Pack(p.recurrent, 4 * n, true);
    DeviceArray<float> c = Put(r.c), gradient = Put(dh);
    DeviceArray<float> dc = NewFloats(p.schedule.rows() * n);
    DeviceArray<float> scratch =
        NewFloats(LstmScratch(stream, p.schedule.rows(), n));
    const absl::Status status =
        LstmBackward(stream, {.schedule = schedule.view(),
                              .recurrent_t = recurrent_t.vector(),
                              .c = c.matrix(n),
                              .gates = gates.matrix(4 * n),
                              .dh = gradient.matrix(n),
                              .dc = dc.matrix(n),
                              .scratch = scratch.vector()});
    EXPECT_TRUE(status.ok()) << status;
    return ToFloats(gates.Read());
  }

  static Floats ToFloats(const std::vector<float>& values) {
    return Floats(values.begin(), values.end());
  }
  template <typename Values>
  static void ExpectNear(const Floats& got, const Values& want,
                         double tolerance) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], want[i], tolerance) << "element " << i;
    }
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
        const Result r = Forward(stream, p);
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
      const Floats dh = Random(p.schedule.events() * n, 3);
      const DoubleState state = Reference(p, Doubles(p.z.begin(), p.z.end()));
      const Doubles want = ReferenceBackward(p, state, dh);
      Result given = {Floats(state.gates.begin(), state.gates.end()),
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
    const Floats dh = Random(p.schedule.events() * n, 3);
    const DoubleState state = Reference(p, Doubles(p.z.begin(), p.z.end()));
    const Doubles dz = ReferenceBackward(p, state, dh);
    const double tolerance = Tolerance(4e-6, 2e-3, 2e-2);
    ForEachForm(p, [&](const Stream& stream) {
      const Result r = Forward(stream, p);
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
      const Result r = Forward(stream, p);
      ExpectNear(r.c, want.c, Tolerance(3e-6, 2e-3, 1.5e-2));
      ExpectNear(r.h, want.h, Tolerance(3e-6, 2e-3, 1.5e-2));
    });
  }
}

// The persistent form gives a row the same bits whatever rows are beside it.
TEST_P(LstmFormsTest, RowsHaveTheSameBitsAlone) {
  if (!on_gpu()) return;
  const int n = 98;
  const Problem together({6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 4, 4, 3}, n);
  const Stream stream = WithForm(RecurrentForm::kPersistent);
  const Floats dh = Random(together.schedule.events() * n, 3);
  const Result all = Forward(stream, together);
  const Floats dz = Backward(stream, together, all, dh);
  for (int row : {0, 5, 12}) {
    Problem alone({together.schedule.lengths[row]}, n);
    Floats alone_dh(alone.schedule.events() * n);
    const auto from = [&](int t, int64_t columns, const Floats& x) {
      return x.begin() + together.schedule.event(t, row) * columns;
    };
    for (int t = 0; t < alone.schedule.steps(); ++t) {
      std::copy_n(from(t, 4 * n, together.z), 4 * n,
                  alone.z.begin() + t * 4 * n);
      std::copy_n(from(t, n, dh), n, alone_dh.begin() + t * n);
    }
    const Result one = Forward(stream, alone);
    const Floats one_dz = Backward(stream, alone, one, alone_dh);
    for (int t = 0; t < alone.schedule.steps(); ++t) {
      EXPECT_TRUE(std::equal(one.h.begin() + t * n, one.h.begin() + (t + 1) * n,
                             from(t, n, all.h)));
      EXPECT_TRUE(std::equal(one_dz.begin() + t * 4 * n,
                             one_dz.begin() + (t + 1) * 4 * n,
                             from(t, 4 * n, dz)));
    }
  }
}

TEST_P(LstmFormsTest, NoSteps) {
  const Problem p({}, 32);
  ForEachForm(p, [&](const Stream& stream) {
    EXPECT_TRUE(Forward(stream, p).h.empty());
    EXPECT_TRUE(Backward(stream, p, Result(), {}).empty());
  });
}

// Recorded once for the largest batch, run with others: the arrays and the
// schedule are longer than a batch needs.
TEST_P(LstmFormsTest, RecordedRunsWithOtherSchedules) {
  if (!on_gpu()) return;
  const int n = 64;
  const Problem most(std::vector<int>(17, 6), n);
  const int64_t events = most.schedule.events();
  const DType type = GateType(stream());
  DeviceSchedule schedule(stream(), most.schedule);
  DeviceArray<float> recurrent = Pack(most.recurrent, 4 * n);
  DeviceArray<float> recurrent_t = Pack(most.recurrent, 4 * n, true);
  GateArray gates(stream(), type, Floats(events * 4 * n));
  DeviceArray<float> c = Put(Floats(events * n)), h = Put(Floats(events * n));
  DeviceArray<float> gradient = Put(Floats(events * n));
  DeviceArray<float> dc = NewFloats(most.schedule.rows() * n);
  GateArray activated(stream(), type, Floats(events * 4 * n));
  Schedule recorded = schedule.view();
  recorded.host_alive = recorded.host_step_begin = nullptr;
  const auto graph = Graph::Capture(stream(), [&]() -> absl::Status {
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.schedule = recorded,
                               .recurrent = recurrent.vector(),
                               .gates = gates.matrix(4 * n),
                               .c = c.matrix(n),
                               .h = h.matrix(n)}));
    CONTINUO_RETURN_IF_ERROR(CopyBytes(stream(), gates.matrix(1).raw,
                                       activated.matrix(1).raw,
                                       events * 4 * n * DTypeSize(type)));
    return LstmBackward(stream(), {.schedule = recorded,
                                   .recurrent_t = recurrent_t.vector(),
                                   .c = c.matrix(n),
                                   .gates = gates.matrix(4 * n),
                                   .dh = gradient.matrix(n),
                                   .dc = dc.matrix(n)});
  });
  ASSERT_TRUE(graph.ok()) << graph.status();
  for (const auto& lengths :
       std::vector<std::vector<int>>{std::vector<int>(17, 6),
                                     {4, 4, 3, 1},
                                     {6},
                                     {5, 5, 5, 4, 3, 3, 3, 2, 2}}) {
    Problem p(lengths, n);
    const Floats dh = Random(p.schedule.events() * n, 3);
    const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
    const Doubles want_dz = ReferenceBackward(p, want, dh);
    TestSchedule padded = p.schedule;
    padded.alive.resize(6, 0);
    padded.step_begin.resize(7, padded.step_begin.back());
    Floats z = p.z, long_dh = dh;
    z.resize(events * 4 * n, 0.5f);
    long_dh.resize(events * n);
    DeviceSchedule now(stream(), padded);
    GateArray gates_now(stream(), type, z);
    DeviceArray<float> gradient_now = Put(long_dh);
    ASSERT_TRUE(
        CopyAndWait(stream(), now.alive.vector(), schedule.alive.vector())
            .ok());
    ASSERT_TRUE(CopyAndWait(stream(), now.step_begin.vector(),
                            schedule.step_begin.vector())
                    .ok());
    ASSERT_TRUE(
        CopyAndWait(stream(), gates_now.matrix(1), gates.matrix(1)).ok());
    ASSERT_TRUE(
        CopyAndWait(stream(), gradient_now.vector(), gradient.vector()).ok());
    ASSERT_TRUE(graph->Launch(stream()).ok());
    const double tolerance = Tolerance(3e-6, 2e-3, 1.5e-2);
    Floats got = ToFloats(h.Read());
    got.resize(want.h.size());
    ExpectNear(got, want.h, tolerance);
    got = ToFloats(activated.Read());
    got.resize(want.gates.size());
    ExpectNear(got, want.gates, tolerance);
    got = ToFloats(gates.Read());
    for (size_t i = want_dz.size(); i < got.size(); ++i) {
      ASSERT_EQ(got[i], 0.5f) << "beyond the batch";
    }
    got.resize(want_dz.size());
    ExpectNear(got, want_dz, tolerance);
  }
}

TEST_P(LstmFormsTest, StepwiseNeedsHostArraysForSeveralSteps) {
  if (!on_gpu()) return;
  const int n = 33;
  const Stream stepwise = WithForm(RecurrentForm::kStepwise);
  for (int steps : {1, 2}) {
    Problem p({steps, steps, steps}, n);
    p.StartFromState();
    DeviceSchedule schedule(stepwise, p.schedule);
    Schedule view = schedule.view();
    view.host_alive = view.host_step_begin = nullptr;
    GateArray gates(stepwise, GateType(stepwise), p.z);
    DeviceArray<float> recurrent = Pack(p.recurrent, 4 * n);
    DeviceArray<float> initial_c = Put(p.initial_c);
    DeviceArray<float> initial_h = Put(p.initial_h);
    DeviceArray<float> c = NewFloats(p.schedule.events() * n);
    DeviceArray<float> h = NewFloats(p.schedule.events() * n);
    DeviceArray<float> scratch = NewFloats(LstmScratch(stepwise, 3, n));
    const absl::Status status =
        LstmForward(stepwise, {.schedule = view,
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
