// SPDX-License-Identifier: Apache-2.0

// The GRU on every device and at every precision, against the formulas in
// double.

#include <cmath>

#include "kernels/gru/gru.h"
#include "tests/kernels/common/device_testing.h"
#include "tests/kernels/gru/gru_reference.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class GruFormTest : public FormTest {
 protected:
  struct Result {
    std::vector<float> gates, candidate, reset, h;
  };
  Result Forward(const GruProblem& p) const;
  // The gradients of the loss sum(dh * h), in gates and candidate.
  Result Backward(const GruProblem& p, const Result& forward,
                  const Floats& dh) const;
};
INSTANTIATE_TEST_SUITE_P(Forms, GruFormTest, ::testing::ValuesIn(kForms),
                         FormName);

GruFormTest::Result GruFormTest::Forward(const GruProblem& p) const {
  const int64_t size = p.ragged.events() * p.n;
  DeviceRaggedLayout ragged(stream(), p.ragged);
  DeviceArray<float> recurrent_gates =
      PackOn(stream(), p.recurrent_gates, 2 * p.n);
  DeviceArray<float> recurrent_candidate =
      PackOn(stream(), p.recurrent_candidate, p.n);
  DeviceArray<float> gates = Put(p.gates), candidate = Put(p.candidate);
  DeviceArray<float> initial_h = Put(p.initial_h);
  DeviceArray<float> reset(stream(), size), h(stream(), size);
  const absl::Status status = GruForward(
      stream(),
      {.ragged = ragged.view(),
       .recurrent_gates = recurrent_gates.vector(),
       .recurrent_candidate = recurrent_candidate.vector(),
       .initial_h = p.initial_h.empty() ? TensorView() : initial_h.matrix(p.n),
       .gates = gates.matrix(2 * p.n),
       .candidate = candidate.matrix(p.n),
       .reset = reset.matrix(p.n),
       .h = h.matrix(p.n)});
  EXPECT_TRUE(status.ok()) << status;
  return {gates.Read(), candidate.Read(), reset.Read(), h.Read()};
}

GruFormTest::Result GruFormTest::Backward(const GruProblem& p,
                                          const Result& forward,
                                          const Floats& dh) const {
  DeviceRaggedLayout ragged(stream(), p.ragged);
  DeviceArray<float> recurrent_gates =
      PackOn(stream(), p.recurrent_gates, 2 * p.n, true);
  DeviceArray<float> recurrent_candidate =
      PackOn(stream(), p.recurrent_candidate, p.n, true);
  DeviceArray<float> gates(stream(), forward.gates);
  DeviceArray<float> candidate(stream(), forward.candidate);
  DeviceArray<float> h(stream(), forward.h), gradient(stream(), dh);
  DeviceArray<float> dreset(stream(), p.ragged.rows() * p.n);
  const absl::Status status = GruBackward(
      stream(), {.ragged = ragged.view(),
                 .recurrent_gates_t = recurrent_gates.vector(),
                 .recurrent_candidate_t = recurrent_candidate.vector(),
                 .h = h.matrix(p.n),
                 .gates = gates.matrix(2 * p.n),
                 .candidate = candidate.matrix(p.n),
                 .dh = gradient.matrix(p.n),
                 .dreset = dreset.matrix(p.n)});
  EXPECT_TRUE(status.ok()) << status;
  return {gates.Read(), candidate.Read(), {}, {}};
}

TEST_P(GruFormTest, ForwardMatchesDoubleLoop) {
  const double tolerance = Tolerance(3e-6, 5e-3, 3e-2);
  for (const auto& lengths : GruLengths()) {
    for (const int n : {1, 31, 33, 130}) {
      for (const bool from_state : {false, true}) {
        SCOPED_TRACE(n);
        GruProblem p(lengths, n);
        if (from_state) p.StartFromState();
        const GruDoubles want =
            GruReference(p, Doubles(p.gates.begin(), p.gates.end()),
                         Doubles(p.candidate.begin(), p.candidate.end()));
        const Result got = Forward(p);
        for (size_t i = 0; i < want.h.size(); ++i) {
          ASSERT_NEAR(got.h[i], want.h[i], tolerance);
          ASSERT_NEAR(got.reset[i], want.reset[i], tolerance);
          ASSERT_NEAR(got.candidate[i], want.candidate[i], tolerance);
        }
        for (size_t i = 0; i < want.gates.size(); ++i) {
          ASSERT_NEAR(got.gates[i], want.gates[i], tolerance);
        }
      }
    }
  }
}

// The CPU's own gradients have been compared with finite differences.
TEST_P(GruFormTest, BackwardMatchesTheCpu) {
  const double tolerance = Tolerance(1e-5, 1e-2, 6e-2);
  Threads cpu(1);
  for (const auto& lengths : GruLengths()) {
    for (const int n : {1, 31, 33, 130}) {
      SCOPED_TRACE(n);
      const GruProblem p(lengths, n);
      const Floats dh = Random(p.ragged.events() * n, 6);
      const Result forward = Forward(p);
      const Result got = Backward(p, forward, dh);
      Floats gates(forward.gates.begin(), forward.gates.end());
      Floats candidate(forward.candidate.begin(), forward.candidate.end());
      const Floats h(forward.h.begin(), forward.h.end());
      Floats gradient = dh, dreset(p.ragged.rows() * n);
      const Floats rg = Packed(p.recurrent_gates, 2 * n, true);
      const Floats rc = Packed(p.recurrent_candidate, n, true);
      ASSERT_TRUE(
          cpu::GruBackward(cpu.stream(), {.ragged = p.ragged.view(),
                                          .recurrent_gates_t = Vector(rg),
                                          .recurrent_candidate_t = Vector(rc),
                                          .h = Matrix(h, n),
                                          .gates = Matrix(gates, 2 * n),
                                          .candidate = Matrix(candidate, n),
                                          .dh = Matrix(gradient, n),
                                          .dreset = Matrix(dreset, n)})
              .ok());
      for (size_t i = 0; i < gates.size(); ++i) {
        ASSERT_NEAR(got.gates[i], gates[i], tolerance);
      }
      for (size_t i = 0; i < candidate.size(); ++i) {
        ASSERT_NEAR(got.candidate[i], candidate[i], tolerance);
      }
    }
  }
}

// Steps are launched one by one, which a recorded batch does not allow.
TEST_P(GruFormTest, RefusesALayoutWithoutHostArraysOnAGpu) {
  if (stream().device.type == DeviceType::kCpu) return;
  const GruProblem p({2, 1}, 3);
  DeviceRaggedLayout there(stream(), p.ragged);
  RaggedLayout ragged = there.view();
  ragged.host_batch_sizes = nullptr;
  DeviceArray<float> gates = Put(p.gates), candidate = Put(p.candidate);
  DeviceArray<float> reset(stream(), candidate.size());
  DeviceArray<float> h(stream(), candidate.size());
  EXPECT_EQ(GruForward(stream(), {.ragged = ragged,
                                  .recurrent_gates = {},
                                  .recurrent_candidate = {},
                                  .gates = gates.matrix(6),
                                  .candidate = candidate.matrix(3),
                                  .reset = reset.matrix(3),
                                  .h = h.matrix(3)})
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace continuo
