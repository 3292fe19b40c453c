// The LSTM by teams of thread blocks, clusters and grids, against a double
// loop and the step-wise form.

#include <algorithm>

#include "kernels/lstm.h"
#include "kernels/lstm_persistent.h"
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

struct TeamForm {
  const char* name;
  LstmForm form;
  Precision precision;
};
constexpr TeamForm kTeamForms[] = {
    {"ClusterFp32", LstmForm::kCluster, Precision::kFp32},
    {"ClusterTf32", LstmForm::kCluster, Precision::kTf32},
    {"ClusterBf16", LstmForm::kCluster, Precision::kBf16},
    {"GridFp32", LstmForm::kGrid, Precision::kFp32},
    {"GridTf32", LstmForm::kGrid, Precision::kTf32},
    {"GridBf16", LstmForm::kGrid, Precision::kBf16}};

class LstmTeamTest : public ::testing::TestWithParam<TeamForm> {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
    auto owned = OwnedStream::Open({.type = DeviceType::kCuda},
                                   {.precision = GetParam().precision}, &pool_);
    ASSERT_TRUE(owned.ok()) << owned.status();
    owned_ = *owned;
    const LstmShape shape = {.rows = 1, .steps = 1, .units = 128};
    if (!Fits(shape)) GTEST_SKIP() << "not a form of this device";
  }
  const Stream& stream() const { return owned_.stream(); }
  bool Fits(const LstmShape& shape) const {
    const GpuProperties& gpu = stream().cuda->properties();
    return GetParam().form == LstmForm::kCluster
               ? gpu::LstmClusterFits(shape, GetParam().precision, gpu)
               : gpu::LstmGridFits(shape, GetParam().precision, gpu);
  }
  double Tolerance(double fp32, double tf32, double bf16) const {
    switch (GetParam().precision) {
      case Precision::kFp32:
        break;
      case Precision::kTf32:
        return tf32;
      case Precision::kBf16:
        return bf16;
    }
    return fp32;
  }
  template <typename Values>
  auto Put(const Values& values) const {
    return DeviceArray<typename Values::value_type>(stream(), values);
  }
  DeviceArray<float> NewFloats(int64_t size) const {
    return DeviceArray<float>(stream(), size);
  }
  static Floats ToFloats(const std::vector<float>& values) {
    return Floats(values.begin(), values.end());
  }

  static Floats Transpose(const Problem& p) {
    const int64_t n = p.n;
    Floats transpose(p.recurrent.size());
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < 4 * n; ++j) {
        transpose[j * n + i] = p.recurrent[i * 4 * n + j];
      }
    }
    return transpose;
  }

  absl::Status Run(LstmForm form, const LstmForwardArgs& args) const {
    switch (form) {
      case LstmForm::kCluster:
        return gpu::LstmClusterForward(stream(), args);
      case LstmForm::kGrid:
        return gpu::LstmGridForward(stream(), args);
      default:
        return gpu::LstmStepwiseForward(stream(), args);
    }
  }
  absl::Status Run(LstmForm form, const LstmBackwardArgs& args) const {
    switch (form) {
      case LstmForm::kCluster:
        return gpu::LstmClusterBackward(stream(), args);
      case LstmForm::kGrid:
        return gpu::LstmGridBackward(stream(), args);
      default:
        return gpu::LstmStepwiseBackward(stream(), args);
    }
  }

  Result Forward(LstmForm form, const Problem& p) const {
    const int n = p.n;
    GateArray gates(stream(), GateType(stream()), p.z);
    DeviceSchedule schedule(stream(), p.schedule);
    DeviceArray<float> recurrent = Put(p.recurrent);
    DeviceArray<float> initial_c = Put(p.initial_c);
    DeviceArray<float> initial_h = Put(p.initial_h);
    DeviceArray<float> c = NewFloats(p.schedule.events() * n);
    DeviceArray<float> h = NewFloats(p.schedule.events() * n);
    DeviceArray<float> scratch =
        NewFloats(LstmScratch(stream(), p.schedule.rows(), n));
    const bool given = !p.initial_c.empty();
    const absl::Status status = Run(
        form,
        LstmForwardArgs{.schedule = schedule.view(),
                        .recurrent = recurrent.vector(),
                        .initial_c = given ? initial_c.matrix(n) : TensorView(),
                        .initial_h = given ? initial_h.matrix(n) : TensorView(),
                        .gates = gates.matrix(4 * n),
                        .c = c.matrix(n),
                        .h = h.matrix(n),
                        .scratch = scratch.vector()});
    EXPECT_TRUE(status.ok()) << status;
    return {ToFloats(gates.Read()), ToFloats(c.Read()), ToFloats(h.Read())};
  }

  // dz of the loss sum(dh * h), given the forward result.
  Floats Backward(LstmForm form, const Problem& p, const Result& r,
                  const Floats& dh) const {
    const int n = p.n;
    GateArray gates(stream(), GateType(stream()), r.gates);
    DeviceSchedule schedule(stream(), p.schedule);
    DeviceArray<float> recurrent_t = Put(Transpose(p));
    DeviceArray<float> c = Put(r.c), gradient = Put(dh);
    DeviceArray<float> dc = NewFloats(p.schedule.rows() * n);
    DeviceArray<float> scratch =
        NewFloats(LstmScratch(stream(), p.schedule.rows(), n));
    const absl::Status status =
        Run(form, LstmBackwardArgs{.schedule = schedule.view(),
                                   .recurrent_t = recurrent_t.vector(),
                                   .c = c.matrix(n),
                                   .gates = gates.matrix(4 * n),
                                   .dh = gradient.matrix(n),
                                   .dc = dc.matrix(n),
                                   .scratch = scratch.vector()});
    EXPECT_TRUE(status.ok()) << status;
    return ToFloats(gates.Read());
  }

  template <typename Values>
  static void ExpectNear(const Floats& got, const Values& want,
                         double tolerance) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], want[i], tolerance) << "element " << i;
    }
  }

  // Both passes against the double loop and the step-wise form.
  void Check(Problem p, bool initial) const {
    SCOPED_TRACE(p.n);
    const LstmShape shape = {
        .rows = p.schedule.rows(), .steps = p.schedule.steps(), .units = p.n};
    if (!Fits(shape)) return;
    const double tolerance = Tolerance(4e-6, 2e-3, 2e-2);
    const LstmForm form = GetParam().form;
    const Floats dh = Random(p.schedule.events() * p.n, 3);
    const DoubleState state = Reference(p, Doubles(p.z.begin(), p.z.end()));
    const Doubles dz = ReferenceBackward(p, state, dh);
    const Result given = {Floats(state.gates.begin(), state.gates.end()),
                          Floats(state.c.begin(), state.c.end()),
                          Floats(state.h.begin(), state.h.end())};
    const Floats got_dz = Backward(form, p, given, dh);
    ExpectNear(got_dz, dz, tolerance);
    ExpectNear(got_dz, Backward(LstmForm::kStepwise, p, given, dh), tolerance);
    DoubleState want = state;
    if (initial) {
      p.StartFromState();
      want = Reference(p, Doubles(p.z.begin(), p.z.end()));
    }
    const Result got = Forward(form, p);
    ExpectNear(got.c, want.c, tolerance);
    ExpectNear(got.h, want.h, tolerance);
    ExpectNear(got.gates, want.gates, tolerance);
    const Result stepwise = Forward(LstmForm::kStepwise, p);
    ExpectNear(got.c, stepwise.c, tolerance);
    ExpectNear(got.h, stepwise.h, tolerance);
  }

 private:
  ThreadPool pool_{2};
  OwnedStream owned_;
};
INSTANTIATE_TEST_SUITE_P(Forms, LstmTeamTest, ::testing::ValuesIn(kTeamForms),
                         [](const auto& info) { return info.param.name; });

TEST_P(LstmTeamTest, MatchesDoubleLoop) {
  for (const auto& lengths : Lengths()) {
    Check(Problem(lengths, 128), lengths.size() == 4);
  }
  Check(Problem({4, 4, 3, 3, 2, 2, 2, 1, 1}, 192), true);
  Check(Problem({2, 2, 1}, 256), false);
  Check(Problem({3, 3, 2, 2, 2, 1, 1, 1, 1}, 512), true);
}

// More rows than a team takes at a time, on devices of up to 16
// multiprocessors also more slices than there are teams.
TEST_P(LstmTeamTest, ManyRows) {
  std::vector<int> lengths;
  for (int row = 0; row < 53; ++row) lengths.push_back(4 - row / 16);
  Check(Problem(lengths, 256), true);
}

TEST_P(LstmTeamTest, RowsHaveTheSameBitsAlone) {
  const int n = 128;
  const LstmForm form = GetParam().form;
  const Problem together({5, 5, 5, 5, 5, 5, 4, 4, 3, 3, 2}, n);
  const Floats dh = Random(together.schedule.events() * n, 3);
  const Result all = Forward(form, together);
  const Floats dz = Backward(form, together, all, dh);
  for (int row : {0, 7, 10}) {
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
    const Result one = Forward(form, alone);
    const Floats one_dz = Backward(form, alone, one, alone_dh);
    for (int t = 0; t < alone.schedule.steps(); ++t) {
      EXPECT_TRUE(std::equal(one.h.begin() + t * n, one.h.begin() + (t + 1) * n,
                             from(t, n, all.h)));
      EXPECT_TRUE(std::equal(one_dz.begin() + t * 4 * n,
                             one_dz.begin() + (t + 1) * 4 * n,
                             from(t, 4 * n, dz)));
    }
  }
}

// Recorded once for the largest batch, run with others: the arrays and the
// schedule are longer than a batch needs.
TEST_P(LstmTeamTest, RecordedRunsWithOtherSchedules) {
  const int n = 128, steps = 4;
  const Problem most(std::vector<int>(17, steps), n);
  const int64_t events = most.schedule.events();
  DeviceSchedule schedule(stream(), most.schedule);
  DeviceArray<float> recurrent = Put(most.recurrent);
  DeviceArray<float> recurrent_t = Put(Transpose(most));
  GateArray gates(stream(), GateType(stream()), Floats(events * 4 * n));
  DeviceArray<float> c = Put(Floats(events * n)), h = Put(Floats(events * n));
  DeviceArray<float> gradient = Put(Floats(events * n));
  DeviceArray<float> dc = NewFloats(most.schedule.rows() * n);
  DeviceArray<float> scratch =
      NewFloats(LstmScratch(stream(), most.schedule.rows(), n));
  Schedule recorded = schedule.view();
  recorded.host_alive = recorded.host_step_begin = nullptr;
  const LstmForwardArgs forward = {.schedule = recorded,
                                   .recurrent = recurrent.vector(),
                                   .gates = gates.matrix(4 * n),
                                   .c = c.matrix(n),
                                   .h = h.matrix(n),
                                   .scratch = scratch.vector()};
  const LstmBackwardArgs backward = {.schedule = recorded,
                                     .recurrent_t = recurrent_t.vector(),
                                     .c = c.matrix(n),
                                     .gates = gates.matrix(4 * n),
                                     .dh = gradient.matrix(n),
                                     .dc = dc.matrix(n),
                                     .scratch = scratch.vector()};
  const auto graph = Graph::Capture(stream(), [&]() -> absl::Status {
    CONTINUO_RETURN_IF_ERROR(Run(GetParam().form, forward));
    return Run(GetParam().form, backward);
  });
  ASSERT_TRUE(graph.ok()) << graph.status();
  for (const auto& lengths : std::vector<std::vector<int>>{
           most.schedule.lengths, {3, 3, 2, 1}, {4}}) {
    const Problem p(lengths, n);
    const Floats dh = Random(p.schedule.events() * n, 3);
    const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
    TestSchedule padded = p.schedule;
    padded.alive.resize(steps, 0);
    padded.step_begin.resize(steps + 1, padded.step_begin.back());
    Floats z = p.z, long_dh = dh;
    z.resize(events * 4 * n, 0.5f);
    long_dh.resize(events * n);
    DeviceSchedule now(stream(), padded);
    GateArray gates_now(stream(), GateType(stream()), z);
    DeviceArray<float> gradient_now = Put(long_dh);
    const auto copy = [&](const TensorView& from, const TensorView& to) {
      ASSERT_TRUE(CopyAndWait(stream(), from, to).ok());
    };
    copy(now.alive.vector(), schedule.alive.vector());
    copy(now.step_begin.vector(), schedule.step_begin.vector());
    copy(gates_now.matrix(1), gates.matrix(1));
    copy(gradient_now.vector(), gradient.vector());
    ASSERT_TRUE(graph->Launch(stream()).ok());
    Floats got = ToFloats(h.Read());
    got.resize(want.h.size());
    ExpectNear(got, want.h, Tolerance(4e-6, 2e-3, 2e-2));
    got = ToFloats(gates.Read());
    const Doubles want_dz = ReferenceBackward(p, want, dh);
    for (size_t i = want_dz.size(); i < got.size(); ++i) {
      ASSERT_EQ(got[i], 0.5f) << "beyond the batch";
    }
    got.resize(want_dz.size());
    ExpectNear(got, want_dz, Tolerance(4e-6, 2e-3, 2e-2));
  }
}

TEST_P(LstmTeamTest, RefusesWhatDoesNotFit) {
  const Problem p({1}, 96 - 1);
  GateArray gates(stream(), GateType(stream()), p.z);
  DeviceSchedule schedule(stream(), p.schedule);
  DeviceArray<float> recurrent = Put(p.recurrent);
  DeviceArray<float> c = NewFloats(p.n), h = NewFloats(p.n);
  DeviceArray<float> scratch = NewFloats(LstmScratch(stream(), 1, p.n));
  EXPECT_EQ(
      Run(GetParam().form, LstmForwardArgs{.schedule = schedule.view(),
                                           .recurrent = recurrent.vector(),
                                           .gates = gates.matrix(4 * p.n),
                                           .c = c.matrix(p.n),
                                           .h = h.matrix(p.n),
                                           .scratch = scratch.vector()})
          .code(),
      absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace continuo
