// The LSTM on every device, at every precision and in every form, against a
// double loop.

#include "kernels/lstm.h"
#include "kernels/lstm_form.h"
#include "runtime/cuda_stream.h"
#include "runtime/graph.h"
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
    if (LstmPersistentFits(shape, GetParam().precision,
                           stream().cuda->properties())) {
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
        ExpectNear(r.c, want.c, Tolerance(3e-6, 4e-3, 3e-2));
        ExpectNear(r.h, want.h, Tolerance(3e-6, 4e-3, 3e-2));
        ExpectNear(r.gates, want.gates, Tolerance(3e-6, 4e-3, 3e-2));
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
                   Tolerance(3e-6, 4e-3, 3e-2));
      });
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

}  // namespace
}  // namespace continuo
