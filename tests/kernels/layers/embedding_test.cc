// SPDX-License-Identifier: Apache-2.0

#include "kernels/layers/embedding.h"

#include "data/records/sparse_rows.h"
#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// Rows of 0 to 4 entries.
SparseRows RandomRows(int rows, int width) {
  SparseRows sparse;
  sparse.width = width;
  for (int r = 0; r < rows; ++r) {
    for (int e = 0, column = r % 3; e < r % 5 && column < width;
         ++e, column += 1 + (r + e) % 7) {
      sparse.Add(column, Random(1, r * 10 + e)[0]);
    }
    sparse.EndRow();
  }
  return sparse;
}

SparseView View(const SparseRows& rows) {
  return {.row_begin = Vector(rows.row_begin),
          .index = Vector(rows.index),
          .value = Vector(rows.value)};
}

std::vector<double> Dense(const SparseRows& sparse) {
  std::vector<double> dense(sparse.rows() * sparse.width);
  for (int r = 0; r < sparse.rows(); ++r) {
    for (int e = sparse.row_begin[r]; e < sparse.row_begin[r + 1]; ++e) {
      dense[r * sparse.width + sparse.index[e]] = sparse.value[e];
    }
  }
  return dense;
}

Floats Gather(int threads, const SparseRows& sparse, const Floats& weights,
              const Floats& bias) {
  Threads pool(threads);
  const int64_t n = static_cast<int64_t>(bias.size());
  Floats out(sparse.rows() * n, -7.0f);
  EXPECT_TRUE(GatherSum(pool.stream(), {.inputs = View(sparse),
                                        .weights = Matrix(weights, n),
                                        .bias = Vector(bias),
                                        .out = Matrix(out, n)})
                  .ok());
  return out;
}

Floats Scatter(int threads, const SparseRows& sparse, const Floats& dz,
               int64_t n) {
  Threads pool(threads);
  Floats dw = Random(sparse.width * n, 4);
  EXPECT_TRUE(ScatterAdd(pool.stream(), {.inputs = View(sparse),
                                         .dz = Matrix(dz, n),
                                         .dw = Matrix(dw, n)})
                  .ok());
  return dw;
}

TEST(EmbeddingTest, MatchesDenseProductsOnEveryTarget) {
  for (int rows : {0, 1, 33, 130}) {
    for (int width : kOddSizes) {
      for (int n : kOddSizes) {
        const SparseRows sparse = RandomRows(rows, width);
        const std::vector<double> dense = Dense(sparse);
        const Floats weights = Random(width * n, 1);
        const Floats bias = Random(n, 2);
        const Floats dz = Random(rows * n, 3);
        const Floats before = Random(width * n, 4);
        ForEachTarget([&] {
          const Floats out = Gather(2, sparse, weights, bias);
          const Floats dw = Scatter(2, sparse, dz, n);
          for (int r = 0; r < rows; ++r) {
            for (int c = 0; c < n; ++c) {
              double want = bias[c];
              for (int i = 0; i < width; ++i) {
                want += dense[r * width + i] * weights[i * n + c];
              }
              ASSERT_NEAR(out[r * n + c], want, 1e-6);
            }
          }
          for (int i = 0; i < width; ++i) {
            for (int c = 0; c < n; ++c) {
              double want = before[i * n + c];
              for (int r = 0; r < rows; ++r) {
                want += dense[r * width + i] * dz[r * n + c];
              }
              ASSERT_NEAR(dw[i * n + c], want, 1e-5);
            }
          }
        });
      }
    }
  }
}

TEST(EmbeddingTest, SameBitsOnAnyThreads) {
  const SparseRows sparse = RandomRows(777, 50);
  const int n = 130;
  const Floats weights = Random(50 * n, 1);
  const Floats bias = Random(n, 2);
  const Floats dz = Random(777 * n, 3);
  ForEachTarget([&] {
    EXPECT_EQ(Gather(1, sparse, weights, bias),
              Gather(3, sparse, weights, bias));
    EXPECT_EQ(Scatter(1, sparse, dz, n), Scatter(3, sparse, dz, n));
  });
}

}  // namespace
}  // namespace continuo
