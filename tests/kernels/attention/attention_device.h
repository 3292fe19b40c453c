// SPDX-License-Identifier: Apache-2.0

// Runs the attention cell on the device of a stream, for its tests.

#ifndef CONTINUO_TESTS_KERNELS_ATTENTION_ATTENTION_DEVICE_H_
#define CONTINUO_TESTS_KERNELS_ATTENTION_ATTENTION_DEVICE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/lstm/lstm.h"
#include "runtime/device/graph.h"
#include "tests/kernels/attention/attention_reference.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo::testing {

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

// What the layout of a run is padded with: steps without rows, rows that
// there could be, and events that arrays have room for.
struct Padding {
  int steps = 0;
  int rows = 0;
  int events = 0;
};

// Forward, and backward of the loss sum(dout * out).
inline Result RunBoth(const Stream& stream, const Problem& p,
                      const Floats& dout, const Padding& padding = {},
                      bool as_graph = false) {
  const int64_t n = p.n, w = p.w;
  const int64_t events = p.ragged.events() + padding.events;
  TestRaggedLayout padded = p.ragged;
  for (int i = 0; i < padding.steps; ++i) {
    padded.batch_sizes.push_back(0);
    padded.step_begin.push_back(padded.step_begin.back());
  }
  DeviceRaggedLayout device(stream, padded);
  RaggedLayout ragged = device.view();
  const int64_t rows = p.ragged.rows() + padding.rows;
  ragged.rows = rows;
  if (padding.steps > 0) {
    ragged.host_batch_sizes = nullptr;
    ragged.host_step_begin = nullptr;
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
        stream, {.ragged = ragged,
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
                             {.ragged = ragged,
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
    if (p.ragged.events() == 0) return;
    const std::vector<float> values = array.Read();
    to->assign(values.begin(), values.begin() + p.ragged.events() * columns);
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

inline void ExpectSameBits(const Result& one, const Result& other) {
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

// Runs `lengths` rows of n units on the stream, and expects what the double
// loop gives: outputs within `tolerance`, slopes of all gradients within
// `slope_tolerance` of their size.
inline void ExpectMatchesDoubleLoop(const Stream& stream,
                                    const std::vector<int>& lengths, int n,
                                    int window, double tolerance,
                                    double slope_tolerance) {
  SCOPED_TRACE(::testing::Message() << "n " << n << ", window " << window
                                    << ", rows " << lengths.size());
  const Problem p(lengths, n, n + 3, window);
  const Floats dout = Random(p.ragged.events() * n, 20);
  const Doubles want = Reference(p, ToDouble(p.values));
  const std::map<std::string, double> slopes = ReferenceSlopes(p, dout);
  const Result r = RunBoth(stream, p, dout);
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(r.out[i], want[i], tolerance);
  }
  for (const auto& [name, gradient] : Gradients(p, r)) {
    const Floats direction = Direction(gradient.size());
    double slope = 0, size = 0;
    for (size_t i = 0; i < gradient.size(); ++i) {
      slope += gradient[i] * direction[i];
      size += std::pow(gradient[i], 2);
    }
    EXPECT_NEAR(slope, slopes.at(name), slope_tolerance * (1 + std::sqrt(size)))
        << name;
  }
}

// A recorded run, with room for more steps, rows and events than there are,
// has the bits of a plain one.
inline void ExpectPaddedGraphHasTheSameBits(const Stream& stream, int n) {
  const Problem p({4, 3, 3, 1}, n, n + 3, 2);
  const Floats dout = Random(p.ragged.events() * n, 20);
  ExpectSameBits(RunBoth(stream, p, dout),
                 RunBoth(stream, p, dout, {.steps = 3, .rows = 13, .events = 6},
                         /*as_graph=*/true));
}

// The bits of a row do not depend on the rows beside it.
inline void ExpectRowsAreIndependent(const Stream& stream, int n) {
  const int window = 2;
  const Problem all({4, 4, 3, 3, 2, 2, 2, 2, 2, 1}, n, n, window);
  const Floats dout = Random(all.ragged.events() * n, 20);
  const Result together = RunBoth(stream, all, dout);
  for (const int row : {9}) {
    Problem one({all.ragged.lengths[row]}, n, n, window);
    one.values = all.values;
    Floats x, row_dout, out, dx;
    for (int t = 0; t < one.ragged.steps(); ++t) {
      const int64_t at = all.ragged.event(t, row) * n;
      const auto take = [&](const Floats& from, Floats* to) {
        to->insert(to->end(), from.begin() + at, from.begin() + at + n);
      };
      take(all.values.at("x"), &x);
      take(dout, &row_dout);
      take(together.out, &out);
      take(together.dx, &dx);
    }
    one.values["x"] = x;
    const Result alone = RunBoth(stream, one, row_dout);
    EXPECT_EQ(alone.out, out);
    EXPECT_EQ(alone.dx, dx);
  }
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_ATTENTION_ATTENTION_DEVICE_H_
