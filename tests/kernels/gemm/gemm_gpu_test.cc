// SPDX-License-Identifier: Apache-2.0

// Products on every device and at every precision, against a double loop.

#include "kernels/gemm/gemm.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class GemmFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, GemmFormTest, ::testing::ValuesIn(kForms),
                         FormName);

struct Sizes {
  int64_t m, k, n;
};
constexpr Sizes kSizes[] = {{1, 1, 1},    {31, 33, 1},  {33, 31, 130},
                            {130, 1, 33}, {5, 130, 31}, {33, 40, 132}};

TEST_P(GemmFormTest, MatchesDoubleLoop) {
  for (const auto& [m, k, n] : kSizes) {
    const Floats a = Random(m * k, 1), b = Random(k * n, 2);
    const Floats bias = Random(n, 3), before = Random(m * n, 4);
    DeviceArray<float> da = Put(a), dbias = Put(bias), packed = Pack(b, n);
    for (const bool accumulate : {false, true}) {
      DeviceArray<float> c = Put(before);
      ASSERT_TRUE(
          Gemm(stream(), {.a = da.matrix(k),
                          .b = packed.vector(),
                          .bias = accumulate ? TensorView() : dbias.vector(),
                          .c = c.matrix(n),
                          .accumulate = accumulate})
              .ok());
      const std::vector<float> got = c.Read();
      for (int64_t i = 0; i < m * n; ++i) {
        double want = accumulate ? before[i] : bias[i % n];
        for (int64_t j = 0; j < k; ++j) {
          want += static_cast<double>(a[i / n * k + j]) * b[j * n + i % n];
        }
        const double scale = std::sqrt(static_cast<double>(k));
        ASSERT_NEAR(got[i], want, scale * Tolerance(1e-6, 2e-3, 1e-2))
            << m << " " << k << " " << n;
      }
    }
  }
}

TEST_P(GemmFormTest, TransposedPackIsTheTranspose) {
  const int64_t rows = 33, columns = 70;
  const Floats matrix = Random(rows * columns, 1), a = Random(columns, 2);
  DeviceArray<float> packed = Pack(matrix, columns, /*transpose=*/true);
  DeviceArray<float> da = Put(a), c = NewFloats(rows);
  ASSERT_TRUE(
      Gemm(stream(),
           {.a = da.matrix(columns), .b = packed.vector(), .c = c.matrix(rows)})
          .ok());
  const std::vector<float> got = c.Read();
  for (int64_t i = 0; i < rows; ++i) {
    double want = 0;
    for (int64_t j = 0; j < columns; ++j) {
      want += static_cast<double>(a[j]) * matrix[i * columns + j];
    }
    EXPECT_NEAR(got[i], want, Tolerance(1e-5, 2e-2, 1e-1));
  }
}

// Gates and their gradients in bf16: operands are rounded, sums are not.
TEST_P(GemmFormTest, MixedTypesMatchDoubleLoop) {
  if (GetParam().precision != Precision::kBf16) GTEST_SKIP() << "bf16 only";
  constexpr DType kFloat = DType::kFloat32, kNarrow = DType::kBfloat16;
  constexpr std::pair<DType, DType> kTypes[] = {{kFloat, kFloat},
                                                {kNarrow, kFloat},
                                                {kFloat, kNarrow},
                                                {kNarrow, kNarrow}};
  constexpr Sizes kMixed[] = {{1, 1, 1},    {31, 33, 1},    {33, 31, 130},
                              {130, 1, 33}, {140, 132, 40}, {1, 64, 260}};
  for (const auto& [m, k, n] : kMixed) {
    Floats a = Random(m * k, 1), b = Random(k * n, 2);
    const Floats bias = Random(n, 3);
    Floats before = Random(m * n, 4);
    DeviceArray<float> dbias = Put(bias), packed = Pack(b, n);
    for (Floats* values : {&a, &b, &before}) {
      for (float& x : *values) x = RoundToBfloat16(x);
    }
    for (const auto& [a_type, c_type] : kTypes) {
      for (const bool accumulate : {false, true}) {
        GateArray da(stream(), a_type, a), c(stream(), c_type, before);
        ASSERT_TRUE(
            Gemm(stream(), {.a = da.matrix(k),
                            .b = packed.vector(),
                            .bias = accumulate ? TensorView() : dbias.vector(),
                            .c = c.matrix(n),
                            .accumulate = accumulate})
                .ok());
        const std::vector<float> got = c.Read();
        for (int64_t i = 0; i < m * n; ++i) {
          double want = accumulate ? before[i] : bias[i % n];
          for (int64_t j = 0; j < k; ++j) {
            want += static_cast<double>(a[i / n * k + j]) * b[j * n + i % n];
          }
          const double tolerance =
              c_type == kNarrow ? 4e-3 * std::abs(want) + 1e-5 : 2e-5;
          ASSERT_NEAR(got[i], want, tolerance) << m << " " << k << " " << n;
        }
      }
    }
  }
}

// A row of a mixed product does not depend on the others.
TEST_P(GemmFormTest, MixedRowsStandAlone) {
  if (GetParam().precision != Precision::kBf16) GTEST_SKIP() << "bf16 only";
  const int64_t m = 140, k = 70, n = 132;
  const Floats a = Random(m * k, 1), b = Random(k * n, 2);
  DeviceArray<float> packed = Pack(b, n);
  const auto multiply = [&](const Floats& rows) {
    GateArray da(stream(), DType::kBfloat16, rows);
    DeviceArray<float> c = NewFloats(static_cast<int64_t>(rows.size()) / k * n);
    EXPECT_TRUE(
        Gemm(stream(),
             {.a = da.matrix(k), .b = packed.vector(), .c = c.matrix(n)})
            .ok());
    return c.Read();
  };
  const std::vector<float> all = multiply(a);
  for (const int64_t row : {0, 17, 139}) {
    const std::vector<float> alone =
        multiply(Floats(a.begin() + row * k, a.begin() + (row + 1) * k));
    EXPECT_EQ(alone, std::vector<float>(all.begin() + row * n,
                                        all.begin() + (row + 1) * n));
  }
}

// Many events, so that their sums are made in chunks.
TEST_P(GemmFormTest, WeightGradientOfManyEvents) {
  const int64_t events = 1500, k = 33, n = 132;
  Floats x = Random(events * k, 1), dz = Random(events * n, 2);
  // Operands that no precision rounds.
  for (Floats* values : {&x, &dz}) {
    for (float& value : *values) value = RoundToBfloat16(value);
  }
  std::vector<double> want(k * n), want_db(n);
  for (int64_t e = 0; e < events; ++e) {
    for (int64_t j = 0; j < n; ++j) {
      want_db[j] += dz[e * n + j];
      for (int64_t i = 0; i < k; ++i) {
        want[i * n + j] += static_cast<double>(x[e * k + i]) * dz[e * n + j];
      }
    }
  }
  DeviceArray<float> dx = Put(x), ddz = Put(dz);
  for (const bool with_db : {false, true}) {
    DeviceArray<float> dw = Put(Floats(k * n)), db = Put(Floats(n));
    DeviceArray<float> scratch =
        NewFloats(WeightGradientScratch(stream(), events, k, n));
    ASSERT_TRUE(
        WeightGradient(stream(), {.x = dx.matrix(k),
                                  .dz = ddz.matrix(n),
                                  .dw = dw.matrix(n),
                                  .db = with_db ? db.vector() : TensorView(),
                                  .scratch = scratch.vector()})
            .ok());
    const std::vector<float> got = dw.Read(), got_db = db.Read();
    for (int64_t i = 0; i < k * n; ++i) {
      ASSERT_NEAR(got[i], want[i], 1e-4);
    }
    for (int64_t j = 0; j < n; ++j) {
      ASSERT_NEAR(got_db[j], with_db ? want_db[j] : 0, 1e-4);
    }
  }
}

TEST_P(GemmFormTest, WeightGradientMatchesDoubleLoop) {
  const DType types[] = {DType::kFloat32, DType::kBfloat16};
  for (const auto& [events, k, n] : kSizes) {
    for (DType type : types) {
      if (type == DType::kBfloat16 && !on_gpu()) continue;
      const Floats x = Random(events * k, 1), dz = Random(events * n, 2);
      const Floats before = Random(k * n, 3), db_before = Random(n, 4);
      std::vector<int32_t> rows;
      for (int64_t e = 0; e < events; ++e) {
        rows.push_back(static_cast<int32_t>(e * 7 % (events + 1)) - 1);
      }
      DeviceArray<float> dx = Put(x), dw = Put(before), db = Put(db_before);
      GateArray ddz(stream(), type, dz);
      DeviceArray<int32_t> drows = Put(rows);
      DeviceArray<float> scratch =
          NewFloats(WeightGradientScratch(stream(), events, k, n));
      ASSERT_TRUE(WeightGradient(stream(), {.x = dx.matrix(k),
                                            .rows = drows.vector(),
                                            .dz = ddz.matrix(n),
                                            .dw = dw.matrix(n),
                                            .db = db.vector(),
                                            .scratch = scratch.vector()})
                      .ok());
      const std::vector<float> got = dw.Read(), got_db = db.Read();
      const bool narrow = type == DType::kBfloat16;
      const double tolerance = std::sqrt(static_cast<double>(events)) *
                               (narrow ? 1e-2 : Tolerance(1e-6, 2e-3, 1e-2));
      for (int64_t i = 0; i < k * n; ++i) {
        double want = before[i];
        for (int64_t e = 0; e < events; ++e) {
          if (rows[e] < 0) continue;
          want +=
              static_cast<double>(x[rows[e] * k + i / n]) * dz[e * n + i % n];
        }
        ASSERT_NEAR(got[i], want, tolerance) << events << " " << k << " " << n;
      }
      for (int64_t j = 0; j < n; ++j) {
        double want = db_before[j];
        for (int64_t e = 0; e < events; ++e) want += dz[e * n + j];
        ASSERT_NEAR(got_db[j], want, narrow ? tolerance : 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace continuo
