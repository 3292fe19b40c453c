// SPDX-License-Identifier: Apache-2.0

// LSTM layers by cuDNN against the CPU's operations, which are tested against
// double.

#include <algorithm>

#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class LstmCudnnFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, LstmCudnnFormTest,
                         ::testing::Values(kForms[1], kForms[2]), FormName);

struct CudnnProblem {
  CudnnProblem(const std::vector<int>& lengths, int width, int units)
      : ragged(lengths),
        k(width),
        n(units),
        x(Random(ragged.events() * k, 1)),
        kernel(Random((k + n) * 4 * n, 2, 1 / std::sqrt(k + n))),
        bias(Random(4 * n, 3)),
        dh(Random(ragged.events() * n, 4)),
        dkernel(Random((k + n) * 4 * n, 5)),
        dbias(Random(4 * n, 6)) {}
  TestRaggedLayout ragged;
  int64_t k, n;
  Floats x, kernel, bias, dh;
  Floats dkernel, dbias;  // before
};

struct Result {
  std::vector<float> h, dx, dkernel, dbias;
};

// The fused path, on the CPU.
Result Expected(const CudnnProblem& p) {
  Threads pool(2);
  const Stream stream = pool.stream();
  const int64_t events = p.ragged.events();
  const Floats upper(p.kernel.begin(), p.kernel.begin() + p.k * 4 * p.n);
  const Floats lower(p.kernel.begin() + p.k * 4 * p.n, p.kernel.end());
  const Floats input = Packed(upper, 4 * p.n);
  const Floats input_t = Packed(upper, 4 * p.n, /*transpose=*/true);
  const Floats recurrent = Packed(lower, 4 * p.n);
  const Floats recurrent_t = Packed(lower, 4 * p.n, /*transpose=*/true);
  Floats gates(events * 4 * p.n), c(events * p.n), h(events * p.n);
  EXPECT_TRUE(Gemm(stream, {.a = Matrix(p.x, p.k),
                            .b = Vector(input),
                            .bias = Vector(p.bias),
                            .c = Matrix(gates, 4 * p.n)})
                  .ok());
  EXPECT_TRUE(LstmForward(stream, {.ragged = p.ragged.view(),
                                   .recurrent = Vector(recurrent),
                                   .gates = Matrix(gates, 4 * p.n),
                                   .c = Matrix(c, p.n),
                                   .h = Matrix(h, p.n)})
                  .ok());
  Floats dh = p.dh, dc(p.ragged.rows() * p.n), dx(events * p.k);
  EXPECT_TRUE(LstmBackward(stream, {.ragged = p.ragged.view(),
                                    .recurrent_t = Vector(recurrent_t),
                                    .c = Matrix(c, p.n),
                                    .gates = Matrix(gates, 4 * p.n),
                                    .dh = Matrix(dh, p.n),
                                    .dc = Matrix(dc, p.n)})
                  .ok());
  EXPECT_TRUE(Gemm(stream, {.a = Matrix(gates, 4 * p.n),
                            .b = Vector(input_t),
                            .c = Matrix(dx, p.k)})
                  .ok());
  std::vector<int32_t> previous(events, -1);
  for (int64_t t = 1; t < p.ragged.steps(); ++t) {
    for (int32_t row = 0; row < p.ragged.batch_sizes[t]; ++row) {
      previous[p.ragged.event(t, row)] =
          static_cast<int32_t>(p.ragged.event(t - 1, row));
    }
  }
  Floats dkernel = p.dkernel, dbias = p.dbias;
  Floats scratch(
      WeightGradientScratch(stream, events, std::max(p.k, p.n), 4 * p.n));
  EXPECT_TRUE(
      WeightGradient(stream, {.x = Matrix(p.x, p.k),
                              .dz = Matrix(gates, 4 * p.n),
                              .dw = TensorView(dkernel.data(), {p.k, 4 * p.n}),
                              .db = Vector(dbias),
                              .scratch = Vector(scratch)})
          .ok());
  EXPECT_TRUE(
      WeightGradient(stream, {.x = Matrix(h, p.n),
                              .rows = Vector(previous),
                              .dz = Matrix(gates, 4 * p.n),
                              .dw = TensorView(dkernel.data() + p.k * 4 * p.n,
                                               {p.n, 4 * p.n}),
                              .scratch = Vector(scratch)})
          .ok());
  const auto plain = [](const Floats& values) {
    return std::vector<float>(values.begin(), values.end());
  };
  return {plain(h), plain(dx), plain(dkernel), plain(dbias)};
}

Result RunCudnn(const Stream& stream, const CudnnProblem& p, bool training) {
  const int64_t events = p.ragged.events();
  DeviceRaggedLayout ragged(stream, p.ragged);
  DeviceArray<float> x(stream, p.x), kernel(stream, p.kernel);
  DeviceArray<float> bias(stream, p.bias), dh(stream, p.dh);
  DeviceArray<float> h(stream, events * p.n), dx(stream, events * p.k);
  DeviceArray<float> dkernel(stream, p.dkernel), dbias(stream, p.dbias);
  const auto sizes = LstmCudnnSizesFor(stream, ragged.view(), p.k, p.n);
  EXPECT_TRUE(sizes.ok()) << sizes.status();
  DeviceArray<float> reserve(stream, sizes->reserve);
  DeviceArray<float> scratch(stream, sizes->scratch);
  const absl::Status forward = LstmCudnnForward(
      stream, {.ragged = ragged.view(),
               .x = x.matrix(p.k),
               .kernel = kernel.matrix(4 * p.n),
               .bias = bias.vector(),
               .h = h.matrix(p.n),
               .reserve = training ? reserve.vector() : TensorView(),
               .scratch = scratch.vector()});
  EXPECT_TRUE(forward.ok()) << forward;
  if (!training) return {h.Read(), {}, {}, {}};
  const absl::Status backward =
      LstmCudnnBackward(stream, {.ragged = ragged.view(),
                                 .x = x.matrix(p.k),
                                 .kernel = kernel.matrix(4 * p.n),
                                 .bias = bias.vector(),
                                 .h = h.matrix(p.n),
                                 .dh = dh.matrix(p.n),
                                 .dx = dx.matrix(p.k),
                                 .dkernel = dkernel.matrix(4 * p.n),
                                 .dbias = dbias.vector(),
                                 .reserve = reserve.vector(),
                                 .scratch = scratch.vector()});
  EXPECT_TRUE(backward.ok()) << backward;
  return {h.Read(), dx.Read(), dkernel.Read(), dbias.Read()};
}

void ExpectNear(const std::vector<float>& got, const std::vector<float>& want,
                double tolerance, const char* what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance) << what << " " << i;
  }
}

TEST_P(LstmCudnnFormTest, MatchesTheFusedPath) {
  struct Case {
    std::vector<int> lengths;
    int width, units;
  };
  const Case cases[] = {{{1}, 1, 1},
                        {{5, 5}, 38, 31},
                        {{7, 4, 4, 1}, 31, 33},
                        {{9, 3, 3, 2, 2, 1, 1, 1}, 130, 64},
                        {{3, 2}, 33, 130}};
  for (const auto& [lengths, width, units] : cases) {
    SCOPED_TRACE(::testing::Message() << width << " " << units);
    const CudnnProblem p(lengths, width, units);
    const Result want = Expected(p);
    const Result got = RunCudnn(stream(), p, /*training=*/true);
    ExpectNear(got.h, want.h, Tolerance(1e-5, 5e-3, 0), "h");
    ExpectNear(got.dx, want.dx, Tolerance(1e-5, 1e-2, 0), "dx");
    ExpectNear(got.dkernel, want.dkernel, Tolerance(3e-5, 2e-2, 0), "dkernel");
    ExpectNear(got.dbias, want.dbias, Tolerance(3e-5, 2e-2, 0), "dbias");
    const Result inference = RunCudnn(stream(), p, /*training=*/false);
    EXPECT_EQ(inference.h, got.h);
  }
}

TEST_P(LstmCudnnFormTest, NoSteps) {
  const CudnnProblem p({}, 31, 33);
  const Result got = RunCudnn(stream(), p, /*training=*/true);
  EXPECT_TRUE(got.h.empty());
  ExpectNear(got.dkernel,
             std::vector<float>(p.dkernel.begin(), p.dkernel.end()), 0,
             "dkernel");
}

TEST_P(LstmCudnnFormTest, DenseRowsWritesSparseRowsOut) {
  const std::vector<int32_t> row_begin = {0, 2, 2, 5, 6};
  const std::vector<int32_t> index = {0, 37, 3, 4, 36, 20};
  const std::vector<float> value = {1, 2, 0.5f, -1, 4, 7};
  DeviceArray<int32_t> begin = Put(row_begin), at = Put(index);
  DeviceArray<float> values = Put(value), out = NewFloats(4 * 38);
  ASSERT_TRUE(DenseRows(stream(), {.inputs = {.row_begin = begin.vector(),
                                              .index = at.vector(),
                                              .value = values.vector()},
                                   .out = out.matrix(38)})
                  .ok());
  std::vector<float> want(4 * 38, 0.0f);
  for (int row = 0; row < 4; ++row) {
    for (int i = row_begin[row]; i < row_begin[row + 1]; ++i) {
      want[row * 38 + index[i]] = value[i];
    }
  }
  EXPECT_EQ(out.Read(), want);
}

}  // namespace
}  // namespace continuo
