// SPDX-License-Identifier: Apache-2.0

// Forms of the LSTM on a device, run on the problems of lstm_reference.h, and
// what holds for every one of them.

#ifndef CONTINUO_TESTS_KERNELS_LSTM_LSTM_DEVICE_H_
#define CONTINUO_TESTS_KERNELS_LSTM_LSTM_DEVICE_H_

#include <algorithm>
#include <functional>
#include <vector>

#include "kernels/lstm/lstm.h"
#include "runtime/base/status.h"
#include "runtime/device/graph.h"
#include "tests/kernels/common/device_testing.h"
#include "tests/kernels/lstm/lstm_reference.h"

namespace continuo::testing {

struct LstmResult {
  Floats gates, c, h;
};

inline Floats ToFloats(const std::vector<float>& values) {
  return Floats(values.begin(), values.end());
}

template <typename Values>
void ExpectNear(const Floats& got, const Values& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance) << "element " << i;
  }
}

// A form on a stream: by default the one that the stream chooses.
struct LstmRunner {
  explicit LstmRunner(const Stream& on)
      : stream(on),
        forward([on](const LstmForwardArgs& args) {
          return LstmForward(on, args);
        }),
        backward([on](const LstmBackwardArgs& args) {
          return LstmBackward(on, args);
        }) {}

  LstmResult Forward(const Problem& p) const {
    const int n = p.n;
    GateArray gates(stream, GateType(stream), p.z);
    DeviceRaggedLayout ragged(stream, p.ragged);
    DeviceArray<float> recurrent = PackOn(stream, p.recurrent, 4 * n);
    DeviceArray<float> initial_c(stream, p.initial_c);
    DeviceArray<float> initial_h(stream, p.initial_h);
    DeviceArray<float> c(stream, p.ragged.events() * n);
    DeviceArray<float> h(stream, p.ragged.events() * n);
    DeviceArray<float> scratch(stream, LstmScratch(stream, p.ragged.rows(), n));
    const TensorView none;
    const bool given = !p.initial_c.empty();
    const absl::Status status =
        forward({.ragged = ragged.view(),
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
  Floats Backward(const Problem& p, const LstmResult& r,
                  const Floats& dh) const {
    const int n = p.n;
    GateArray gates(stream, GateType(stream), r.gates);
    DeviceRaggedLayout ragged(stream, p.ragged);
    DeviceArray<float> recurrent_t = PackOn(stream, p.recurrent, 4 * n, true);
    DeviceArray<float> c(stream, r.c), gradient(stream, dh);
    DeviceArray<float> dc(stream, p.ragged.rows() * n);
    DeviceArray<float> scratch(stream, LstmScratch(stream, p.ragged.rows(), n));
    const absl::Status status = backward({.ragged = ragged.view(),
                                          .recurrent_t = recurrent_t.vector(),
                                          .c = c.matrix(n),
                                          .gates = gates.matrix(4 * n),
                                          .dh = gradient.matrix(n),
                                          .dc = dc.matrix(n),
                                          .scratch = scratch.vector()});
    EXPECT_TRUE(status.ok()) << status;
    return ToFloats(gates.Read());
  }

  Stream stream;
  std::function<absl::Status(const LstmForwardArgs&)> forward;
  std::function<absl::Status(const LstmBackwardArgs&)> backward;
};

// Rows of a batch have the bits that they have alone.
inline void ExpectSameBitsAlone(const LstmRunner& runner,
                                const std::vector<int>& lengths, int n) {
  const Problem together(lengths, n);
  const Floats dh = Random(together.ragged.events() * n, 3);
  const LstmResult all = runner.Forward(together);
  const Floats dz = runner.Backward(together, all, dh);
  const int rows = static_cast<int>(lengths.size());
  for (int row : {0, rows / 2, rows - 1}) {
    Problem alone({lengths[row]}, n);
    Floats alone_dh(alone.ragged.events() * n);
    const auto from = [&](int t, int64_t columns, const Floats& x) {
      return x.begin() + together.ragged.event(t, row) * columns;
    };
    for (int t = 0; t < alone.ragged.steps(); ++t) {
      std::copy_n(from(t, 4 * n, together.z), 4 * n,
                  alone.z.begin() + t * 4 * n);
      std::copy_n(from(t, n, dh), n, alone_dh.begin() + t * n);
    }
    const LstmResult one = runner.Forward(alone);
    const Floats one_dz = runner.Backward(alone, one, alone_dh);
    for (int t = 0; t < alone.ragged.steps(); ++t) {
      EXPECT_TRUE(std::equal(one.h.begin() + t * n, one.h.begin() + (t + 1) * n,
                             from(t, n, all.h)))
          << "row " << row;
      EXPECT_TRUE(std::equal(one_dz.begin() + t * 4 * n,
                             one_dz.begin() + (t + 1) * 4 * n,
                             from(t, 4 * n, dz)))
          << "row " << row;
    }
  }
}

// Recorded once for the largest batch, `rows` by `steps`, a form runs others:
// the arrays and the layout are longer than a batch needs.
inline void ExpectRecordedRuns(const LstmRunner& runner, int rows, int steps,
                               const std::vector<std::vector<int>>& batches,
                               int n, double tolerance) {
  const Stream& stream = runner.stream;
  const Problem most(std::vector<int>(rows, steps), n);
  const int64_t events = most.ragged.events();
  const DType type = GateType(stream);
  DeviceRaggedLayout ragged(stream, most.ragged);
  DeviceArray<float> recurrent = PackOn(stream, most.recurrent, 4 * n);
  DeviceArray<float> recurrent_t = PackOn(stream, most.recurrent, 4 * n, true);
  GateArray gates(stream, type, Floats(events * 4 * n));
  GateArray activated(stream, type, Floats(events * 4 * n));
  DeviceArray<float> c(stream, Floats(events * n));
  DeviceArray<float> h(stream, Floats(events * n));
  DeviceArray<float> gradient(stream, Floats(events * n));
  DeviceArray<float> dc(stream, int64_t{rows} * n);
  DeviceArray<float> scratch(stream, LstmScratch(stream, rows, n));
  RaggedLayout recorded = ragged.view();
  recorded.host_batch_sizes = recorded.host_step_begin = nullptr;
  const LstmForwardArgs forward = {.ragged = recorded,
                                   .recurrent = recurrent.vector(),
                                   .gates = gates.matrix(4 * n),
                                   .c = c.matrix(n),
                                   .h = h.matrix(n),
                                   .scratch = scratch.vector()};
  const LstmBackwardArgs backward = {.ragged = recorded,
                                     .recurrent_t = recurrent_t.vector(),
                                     .c = c.matrix(n),
                                     .gates = gates.matrix(4 * n),
                                     .dh = gradient.matrix(n),
                                     .dc = dc.matrix(n),
                                     .scratch = scratch.vector()};
  const auto graph = Graph::Capture(stream, [&]() -> absl::Status {
    CONTINUO_RETURN_IF_ERROR(runner.forward(forward));
    CONTINUO_RETURN_IF_ERROR(CopyBytes(stream, gates.matrix(1).raw,
                                       activated.matrix(1).raw,
                                       events * 4 * n * DTypeSize(type)));
    return runner.backward(backward);
  });
  ASSERT_TRUE(graph.ok()) << graph.status();
  const auto copy = [&](const TensorView& from, const TensorView& to) {
    ASSERT_TRUE(CopyAndWait(stream, from, to).ok());
  };
  for (const auto& lengths : batches) {
    const Problem p(lengths, n);
    const Floats dh = Random(p.ragged.events() * n, 3);
    const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
    const Doubles want_dz = ReferenceBackward(p, want, dh);
    TestRaggedLayout padded = p.ragged;
    padded.batch_sizes.resize(steps, 0);
    padded.step_begin.resize(steps + 1, padded.step_begin.back());
    Floats z = p.z, long_dh = dh;
    z.resize(events * 4 * n, 0.5f);
    long_dh.resize(events * n);
    DeviceRaggedLayout now(stream, padded);
    GateArray gates_now(stream, type, z);
    DeviceArray<float> gradient_now(stream, long_dh);
    copy(now.batch_sizes.vector(), ragged.batch_sizes.vector());
    copy(now.step_begin.vector(), ragged.step_begin.vector());
    copy(gates_now.matrix(1), gates.matrix(1));
    copy(gradient_now.vector(), gradient.vector());
    ASSERT_TRUE(graph->Launch(stream).ok());
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

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_LSTM_LSTM_DEVICE_H_
