// The attention cell on every device and at every precision, in its plain form
// and in that of clusters.

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "kernels/attention.h"
#include "kernels/attention_window.h"
#include "kernels/lstm.h"
#include "runtime/graph.h"
#include "tests/kernels/attention_reference.h"
#include "tests/kernels/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Sizes {
  int n;
  int window;
};

class AttentionFormTest : public FormTest {
 protected:
  Stream With(RecurrentForm form) const {
    Stream with = stream();
    with.options.form = form;
    return with;
  }
  // Runs both forms against the double loop.
  void ExpectMatch(const std::vector<int>& lengths, const Sizes& sizes) const;
};
INSTANTIATE_TEST_SUITE_P(Forms, AttentionFormTest, ::testing::ValuesIn(kForms),
                         FormName);

// The inputs of a problem on a device.
class DeviceWeights {
 public:
  DeviceWeights(const Stream& stream, const Problem& p) {
    const auto put = [&](const std::string& name) {
      arrays_.push_back(
          std::make_unique<DeviceArray<float>>(stream, p.values.at(name)));
      return arrays_.back()->vector();
    };
    const auto pack = [&](const std::string& name, int64_t columns,
                          TensorView* forward, TensorView* backward) {
      const TensorView vector = put(name);
      const int64_t rows = vector.num_elements() / columns;
      const TensorView matrix(vector.data<float>(), {rows, columns});
      for (const bool transpose : {false, true}) {
        arrays_.push_back(std::make_unique<DeviceArray<float>>(
            stream, transpose ? PackedSize(stream, columns, rows)
                              : PackedSize(stream, rows, columns)));
        const TensorView packed = arrays_.back()->vector();
        EXPECT_TRUE(PackMatrix(stream, {.matrix = matrix,
                                        .transpose = transpose,
                                        .packed = packed})
                        .ok());
        (transpose ? *backward : *forward) = packed;
      }
    };
    pack("attention_to_x", p.w, &forward.attention_to_x,
         &backward.attention_to_x);
    pack("x_to_gates", 4 * p.n, &forward.x_to_gates, &backward.x_to_gates);
    pack("recurrent", 4 * p.n, &forward.recurrent, &backward.recurrent);
    pack("c_to_query", p.n, &forward.c_to_query, &backward.c_to_query);
    pack("h_to_query", p.n, &forward.h_to_query, &backward.h_to_query);
    pack("project", p.n, &forward.project, &backward.project);
    pack("h_to_out", p.n, &forward.h_to_out, &backward.h_to_out);
    pack("attention_to_out", p.n, &forward.attention_to_out,
         &backward.attention_to_out);
    forward.gates_bias = put("gates_bias");
    forward.query_bias = put("query_bias");
    forward.score = put("score");
    forward.out_bias = put("out_bias");
  }
  AttentionWeights forward;
  AttentionTransposes backward;

 private:
  std::vector<std::unique_ptr<DeviceArray<float>>> arrays_;
};

// What the schedule of a run is padded with: steps without rows, rows that
// there could be, and events that arrays have room for.
struct Padding {
  int steps = 0;
  int rows = 0;
  int events = 0;
};

// Forward, and backward of the loss sum(dout * out).
Result RunBoth(const Stream& stream, const Problem& p, const Floats& dout,
               const Padding& padding = {}, bool as_graph = false) {
  const int64_t n = p.n, w = p.w;
  const int64_t events = p.schedule.events() + padding.events;
  TestSchedule padded = p.schedule;
  for (int i = 0; i < padding.steps; ++i) {
    padded.alive.push_back(0);
    padded.step_begin.push_back(padded.step_begin.back());
  }
  DeviceSchedule device(stream, padded);
  Schedule schedule = device.view();
  const int64_t rows = p.schedule.rows() + padding.rows;
  schedule.rows = rows;
  if (padding.steps > 0) {
    schedule.host_alive = nullptr;
    schedule.host_step_begin = nullptr;
  }
  const DeviceWeights weights(stream, p);
  const auto resized = [&](Floats values, int64_t columns) {
    values.resize(events * columns, 0.25f);
    return values;
  };
  // Unwritten, unless rows that no event has will be read with the others.
  const auto floats = [&](int64_t size) {
    return padding.events > 0 ? DeviceArray<float>(stream, Floats(size, -7.0f))
                              : DeviceArray<float>(stream, size);
  };
  DeviceArray<float> x(stream, resized(p.values.at("x"), w));
  GateArray gates(stream, GateType(stream), events * 4 * n);
  DeviceArray<float> c = floats(events * n), h = floats(events * n);
  DeviceArray<float> query = floats(events * n), out = floats(events * n);
  DeviceArray<float> probabilities = floats(events * p.window);
  DeviceArray<float> attention = floats(events * n);
  DeviceArray<float> projected = floats(events * n);
  const int64_t ring = rows * p.window * n;
  DeviceArray<float> windows[4] = {floats(ring), floats(ring), floats(ring),
                                   floats(ring)};
  const auto window = [&](int i) {
    return windows[i].view({rows, p.window, n});
  };
  DeviceArray<float> scratch = floats(AttentionScratch(stream, events, n, w));
  DeviceArray<float> ddout(stream, resized(dout, n));
  DeviceArray<float> dprojected(stream, Floats(events * n, 0.5f));
  DeviceArray<float> dx = floats(events * w), dscore(stream, Floats(n, 0.0f));
  DeviceArray<float> carry[4] = {floats(rows * n), floats(rows * n),
                                 floats(rows * n), floats(rows * n)};
  DeviceArray<float> dp = floats(rows * p.window);
  const auto work = [&]() -> absl::Status {
    const absl::Status status = AttentionForward(
        stream, {.schedule = schedule,
                 .weights = weights.forward,
                 .window = p.window,
                 .x = x.matrix(w),
                 .gates = gates.matrix(4 * n),
                 .c = c.matrix(n),
                 .h = h.matrix(n),
                 .query = query.matrix(n),
                 .probabilities = probabilities.matrix(p.window),
                 .attention = attention.matrix(n),
                 .out = out.matrix(n),
                 .projected = projected.matrix(n),
                 .window_states = window(0),
                 .window_projected = window(1),
                 .scratch = scratch.vector()});
    if (!status.ok()) return status;
    return AttentionBackward(stream,
                             {.schedule = schedule,
                              .weights = weights.backward,
                              .score = weights.forward.score,
                              .window = p.window,
                              .gates = gates.matrix(4 * n),
                              .c = c.matrix(n),
                              .query = query.matrix(n),
                              .probabilities = probabilities.matrix(p.window),
                              .out = out.matrix(n),
                              .projected = projected.matrix(n),
                              .dout = ddout.matrix(n),
                              .dprojected = dprojected.matrix(n),
                              .dx = dx.matrix(w),
                              .dscore = dscore.vector(),
                              .dh = carry[0].matrix(n),
                              .dc = carry[1].matrix(n),
                              .da = carry[2].matrix(n),
                              .dv = carry[3].matrix(n),
                              .dp = dp.matrix(p.window),
                              .window_states = window(0),
                              .window_projected = window(1),
                              .window_dstates = window(2),
                              .window_dprojected = window(3),
                              .forward = weights.forward,
                              .scratch = scratch.vector()});
  };
  if (as_graph) {
    const absl::StatusOr<Graph> graph = Graph::Capture(stream, work);
    EXPECT_TRUE(graph.ok()) << graph.status();
    if (graph.ok()) {
      EXPECT_TRUE(graph->Launch(stream).ok());
    }
  } else {
    const absl::Status status = work();
    EXPECT_TRUE(status.ok()) << status;
  }
  Result r;
  // The rows of the events, without those that pad.
  const auto read = [&](auto& array, int64_t columns, Floats* to) {
    if (p.schedule.events() == 0) return;
    const std::vector<float> values = array.Read();
    to->assign(values.begin(), values.begin() + p.schedule.events() * columns);
  };
  read(x, w, &r.x);
  read(gates, 4 * n, &r.gates);
  read(c, n, &r.c);
  read(h, n, &r.h);
  read(query, n, &r.query);
  read(probabilities, p.window, &r.probabilities);
  read(attention, n, &r.attention);
  read(out, n, &r.out);
  read(projected, n, &r.projected);
  read(ddout, n, &r.dout);
  read(dprojected, n, &r.dprojected);
  read(dx, w, &r.dx);
  const std::vector<float> values = dscore.Read();
  r.dscore.assign(values.begin(), values.end());
  return r;
}

constexpr Sizes kSizes[] = {{1, 4}, {17, 1}, {33, 4}};

// Whether both forms have kernels of a size: 256 units have clusters in bf16.
bool HasClusters(const Stream& stream, int n) {
  return stream.device.type == DeviceType::kCuda &&
         (n == 128 ||
          (n == 256 && stream.options.precision == Precision::kBf16));
}

void AttentionFormTest::ExpectMatch(const std::vector<int>& lengths,
                                    const Sizes& sizes) const {
  const auto& [n, window] = sizes;
  const Problem p(lengths, n, n + 3, window);
  const Floats dout = Random(p.schedule.events() * n, 20);
  const Doubles want = Reference(p, ToDouble(p.values));
  const std::map<std::string, double> slopes = ReferenceSlopes(p, dout);
  for (const RecurrentForm form :
       {RecurrentForm::kStepwise, RecurrentForm::kAuto}) {
    if (form == RecurrentForm::kAuto && !HasClusters(stream(), n)) continue;
    SCOPED_TRACE(::testing::Message()
                 << "n " << n << ", window " << window << ", rows "
                 << lengths.size() << ", cluster "
                 << (form == RecurrentForm::kAuto));
    const Result r = RunBoth(With(form), p, dout);
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_NEAR(r.out[i], want[i], Tolerance(2e-5, 1e-2, 1e-1));
    }
    for (const auto& [name, gradient] : Gradients(p, r)) {
      const Floats direction = Direction(gradient.size());
      double slope = 0, size = 0;
      for (size_t i = 0; i < gradient.size(); ++i) {
        slope += gradient[i] * direction[i];
        size += std::pow(gradient[i], 2);
      }
      EXPECT_NEAR(slope, slopes.at(name),
                  Tolerance(1e-5, 3e-3, 3e-2) * (1 + std::sqrt(size)))
          << name;
    }
  }
}

TEST_P(AttentionFormTest, MatchesDoubleLoop) {
  for (const auto& lengths : Lengths()) {
    for (const Sizes& sizes : kSizes) ExpectMatch(lengths, sizes);
  }
}

// Sizes of clusters, more rows than one takes, more steps than slots; and odd
// ones.
TEST_P(AttentionFormTest, LargeMatchesDoubleLoop) {
  const std::vector<int> lengths = {4, 3, 3, 2, 2, 2, 2, 2, 1};
  ExpectMatch(lengths, {128, 2});
  if (HasClusters(stream(), 256)) ExpectMatch(lengths, {256, 3});
  ExpectMatch({3, 1}, {130, 4});
}

void ExpectSameBits(const Result& one, const Result& other) {
  EXPECT_EQ(one.x, other.x);
  EXPECT_EQ(one.gates, other.gates);
  EXPECT_EQ(one.query, other.query);
  EXPECT_EQ(one.probabilities, other.probabilities);
  EXPECT_EQ(one.out, other.out);
  EXPECT_EQ(one.projected, other.projected);
  EXPECT_EQ(one.dout, other.dout);
  EXPECT_EQ(one.dprojected, other.dprojected);
  EXPECT_EQ(one.dx, other.dx);
  EXPECT_EQ(one.dscore, other.dscore);
}

// A recorded run, with room for more steps, rows and events than there are,
// has the bits of a plain one.
TEST_P(AttentionFormTest, PaddedGraphHasTheSameBits) {
  if (!on_gpu()) GTEST_SKIP() << "of GPU forms";
  for (const int n : {20, 128}) {
    const Problem p({4, 3, 3, 1}, n, n + 3, 2);
    const Floats dout = Random(p.schedule.events() * n, 20);
    ExpectSameBits(
        RunBoth(stream(), p, dout),
        RunBoth(stream(), p, dout, {.steps = 3, .rows = 13, .events = 6},
                /*as_graph=*/true));
  }
}

// The bits of a row do not depend on the rows beside it.
TEST_P(AttentionFormTest, RowsAreIndependent) {
  if (!on_gpu()) GTEST_SKIP() << "of GPU forms";
  const int window = 2;
  for (const int n : {20, 128}) {
    const Problem all({4, 4, 3, 3, 2, 2, 2, 2, 2, 1}, n, n, window);
    const Floats dout = Random(all.schedule.events() * n, 20);
    const Result together = RunBoth(stream(), all, dout);
    for (const int row : {2, 9}) {
      Problem one({all.schedule.lengths[row]}, n, n, window);
      one.values = all.values;
      Floats x, row_dout, out, dx;
      for (int t = 0; t < one.schedule.steps(); ++t) {
        const int64_t at = all.schedule.event(t, row) * n;
        const auto take = [&](const Floats& from, Floats* to) {
          to->insert(to->end(), from.begin() + at, from.begin() + at + n);
        };
        take(all.values.at("x"), &x);
        take(dout, &row_dout);
        take(together.out, &out);
        take(together.dx, &dx);
      }
      one.values["x"] = x;
      const Result alone = RunBoth(stream(), one, row_dout);
      EXPECT_EQ(alone.out, out);
      EXPECT_EQ(alone.dx, dx);
    }
  }
}

TEST_P(AttentionFormTest, NoSteps) {
  const Problem p({}, 5, 3, 4);
  EXPECT_TRUE(RunBoth(stream(), p, {}).out.empty());
}

// Decoding row by row, with windows in any place, gives what the batch gives.
TEST_P(AttentionFormTest, StepsMatchDoubleLoop) {
  const int rows = 5, steps = 6;
  for (const auto& [n, window] : kSizes) {
    const int w = n + 2;
    const Problem p(std::vector<int>(rows, steps), n, w, window);
    const Doubles want = Reference(p, ToDouble(p.values));
    const DeviceWeights weights(stream(), p);
    const int64_t places = 7;
    DeviceArray<int32_t> window_row = Put(std::vector<int32_t>{3, 0, 6, 1, 5});
    DeviceArray<float> states = NewFloats(window * places * n);
    DeviceArray<float> projections = NewFloats(window * places * n);
    // Two sets of the carried arrays, which take turns.
    const Floats zeros(rows * n, 0.0f);
    DeviceArray<float> c[2] = {Put(zeros), Put(zeros)};
    DeviceArray<float> h[2] = {Put(zeros), Put(zeros)};
    DeviceArray<float> a[2] = {Put(zeros), Put(zeros)};
    DeviceArray<float> query = NewFloats(rows * n), out = NewFloats(rows * n);
    DeviceArray<float> projected = NewFloats(rows * n);
    DeviceArray<float> probabilities = NewFloats(rows * window);
    GateArray gates(stream(), GateType(stream()), rows * 4 * n);
    DeviceArray<float> scratch =
        NewFloats(AttentionScratch(stream(), rows, n, w));
    for (int t = 0; t < steps; ++t) {
      const auto from = p.values.at("x").begin() + t * rows * w;
      DeviceArray<float> x = Put(Floats(from, from + rows * w));
      const int now = t % 2, before = 1 - now;
      ASSERT_TRUE(
          AttentionStep(
              stream(),
              {.weights = weights.forward,
               .window = window,
               .step = t,
               .c_prev = c[before].matrix(n),
               .h_prev = h[before].matrix(n),
               .attention_prev = a[before].matrix(n),
               .x = x.matrix(w),
               .gates = gates.matrix(4 * n),
               .c = c[now].matrix(n),
               .h = h[now].matrix(n),
               .query = query.matrix(n),
               .probabilities = probabilities.matrix(window),
               .attention = a[now].matrix(n),
               .out = out.matrix(n),
               .projected = projected.matrix(n),
               .window_states = states.view({places, window, n}),
               .window_projected = projections.view({places, window, n}),
               .window_row = window_row.vector(),
               .scratch = scratch.vector()})
              .ok());
      const std::vector<float> got = out.Read();
      for (int64_t i = 0; i < rows * n; ++i) {
        ASSERT_NEAR(got[i], want[t * rows * n + i], Tolerance(2e-5, 1e-2, 1e-1))
            << "n " << n << ", window " << window << ", step " << t;
      }
    }
  }
}

// The window alone: what it attends to, and what enters it.
TEST_P(AttentionFormTest, WindowMatchesDoubleLoop) {
  const int rows = 3, places = 5;
  const std::vector<int32_t> place = {4, 0, 2};
  for (const auto& [n, window] : {Sizes{1, 1}, {31, 4}, {130, 33}}) {
    for (const int step : {0, 1, 3, 70}) {
      const int64_t ring = int64_t{window} * n;
      Floats states = Random(places * ring, 1);
      Floats projected = Random(places * ring, 2);
      const Floats v = Random(n, 3, 2.0), q = Random(rows * n, 4);
      const Floats out = Random(rows * n, 5), out_w = Random(rows * n, 6);
      DeviceArray<float> dstates = Put(states), dprojected = Put(projected);
      DeviceArray<int32_t> dplace = Put(place);
      DeviceArray<float> dv = Put(v), dq = Put(q), dout = Put(out);
      DeviceArray<float> dout_w = Put(out_w);
      DeviceArray<float> probabilities = NewFloats(rows * window);
      DeviceArray<float> attention = NewFloats(rows * n);
      const WindowArrays arrays = {
          .step = step,
          .states = dstates.view({places, window, n}),
          .projected = dprojected.view({places, window, n}),
          .row = dplace.vector()};
      ASSERT_TRUE(
          AttendWindow(stream(), {.window = arrays,
                                  .score = dv.vector(),
                                  .query = dq.matrix(n),
                                  .probabilities = probabilities.matrix(window),
                                  .attention = attention.matrix(n)})
              .ok());
      ASSERT_TRUE(EnterWindow(stream(), {.window = arrays,
                                         .out = dout.matrix(n),
                                         .projected = dout_w.matrix(n)})
                      .ok());
      const std::vector<float> p = probabilities.Read(), a = attention.Read();
      const double tolerance = Tolerance(2e-6, 2e-6, 2e-3);
      for (int r = 0; r < rows; ++r) {
        Doubles weight(window), context(n, 0.0);
        double total = 0;
        const auto event = [&](int j) { return step - window + j; };
        for (int j = 0; j < window; ++j) {
          double s = 0;
          for (int k = 0; k < n; ++k) {
            const double m =
                event(j) < 0
                    ? 0.0
                    : projected[place[r] * ring + event(j) % window * n + k];
            s += v[k] * std::tanh(m + q[r * n + k]);
          }
          weight[j] = std::exp(s);
          total += weight[j];
        }
        for (int j = 0; j < window; ++j) {
          ASSERT_NEAR(p[r * window + j], weight[j] / total, tolerance);
          for (int k = 0; k < n && event(j) >= 0; ++k) {
            context[k] += weight[j] / total *
                          states[place[r] * ring + event(j) % window * n + k];
          }
        }
        for (int k = 0; k < n; ++k) {
          ASSERT_NEAR(a[r * n + k], context[k], tolerance)
              << "n " << n << ", window " << window << ", step " << step;
          const int64_t at = place[r] * ring + step % window * n + k;
          states[at] = out[r * n + k];
          projected[at] = out_w[r * n + k];
        }
      }
      EXPECT_TRUE(
          std::equal(states.begin(), states.end(), dstates.Read().begin()));
      EXPECT_TRUE(std::equal(projected.begin(), projected.end(),
                             dprojected.Read().begin()));
    }
  }
}

}  // namespace
}  // namespace continuo
