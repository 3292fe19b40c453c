// SPDX-License-Identifier: Apache-2.0

// Sparse products on every device, against dense double loops.

#include "data/records/sparse_rows.h"
#include "kernels/layers/embedding.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class EmbeddingFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, EmbeddingFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

// Rows of 0 to `most` entries; the last `empty` have none, as those that fill
// up a batch.
SparseRows RandomRows(int rows, int width, int most, int empty = 0) {
  SparseRows sparse;
  sparse.width = width;
  for (int r = 0; r < rows; ++r) {
    const int entries = r < rows - empty ? r % (most + 1) : 0;
    for (int e = 0, column = r % 3; e < entries && column < width;
         ++e, column += 1 + (r + e) % 3) {
      sparse.Add(column, Random(1, r * 100 + e)[0]);
    }
    sparse.EndRow();
  }
  return sparse;
}

struct DeviceRows {
  DeviceRows(const Stream& stream, const SparseRows& rows)
      : row_begin(stream, rows.row_begin),
        index(stream, rows.index),
        value(stream, rows.value) {}
  SparseView view() {
    return {.row_begin = row_begin.vector(),
            .index = index.vector(),
            .value = value.vector()};
  }
  DeviceArray<int32_t> row_begin, index;
  DeviceArray<float> value;
};

struct Sizes {
  int rows, width, n, most;
};
constexpr Sizes kSizes[] = {
    {0, 5, 8, 3},     {1, 1, 1, 4},      {31, 33, 31, 40}, {33, 130, 4, 1},
    {130, 31, 33, 7}, {600, 74, 512, 2}, {9, 40, 130, 14}};

TEST_P(EmbeddingFormTest, GatherSumMatchesDoubleLoop) {
  for (const DType type : {DType::kFloat32, DType::kBfloat16}) {
    if (type == DType::kBfloat16 && !on_gpu()) continue;
    for (const auto& [rows, width, n, most] : kSizes) {
      const SparseRows sparse = RandomRows(rows, width, most);
      const Floats weights = Random(width * n, 1), bias = Random(n, 2);
      DeviceRows inputs(stream(), sparse);
      DeviceArray<float> dweights = Put(weights), dbias = Put(bias);
      GateArray out(stream(), type, int64_t{rows} * n);
      ASSERT_TRUE(GatherSum(stream(), {.inputs = inputs.view(),
                                       .weights = dweights.matrix(n),
                                       .bias = dbias.vector(),
                                       .out = out.matrix(n)})
                      .ok());
      const std::vector<float> got = out.Read();
      for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < n; ++c) {
          double want = bias[c];
          for (int e = sparse.row_begin[r]; e < sparse.row_begin[r + 1]; ++e) {
            want += static_cast<double>(sparse.value[e]) *
                    weights[sparse.index[e] * n + c];
          }
          const double tolerance =
              type == DType::kBfloat16 ? 4e-3 * (1 + std::abs(want)) : 3e-6;
          ASSERT_NEAR(got[r * n + c], want, tolerance)
              << rows << " " << width << " " << n;
        }
      }
    }
  }
}

// Also where they hide how many entries there are, and behind the last one.
TEST_P(EmbeddingFormTest, EntriesOfValueZeroAddNothing) {
  constexpr int kWidth = 90, kUnits = 36;
  SparseRows sparse, padded;
  for (int r = 0; r < 40; ++r) {
    for (int column = 0; column < kWidth; ++column) {
      // All, none, or some of 90 entries.
      const bool present = r == 1 || (r > 2 && (column * 7 + r) % r == 0);
      const float value = present ? 0.5f + column : 0.0f;
      padded.Add(column, value);
      if (present) sparse.Add(column, value);
    }
    padded.EndRow();
    sparse.EndRow();
  }
  DeviceArray<float> weights = Put(Random(kWidth * kUnits, 1));
  DeviceArray<float> bias = Put(Random(kUnits, 2));
  std::vector<float> sums[2];
  for (const bool pads : {false, true}) {
    DeviceRows inputs(stream(), pads ? padded : sparse);
    DeviceArray<float> out = NewFloats(40 * kUnits);
    ASSERT_TRUE(GatherSum(stream(), {.inputs = inputs.view(),
                                     .weights = weights.matrix(kUnits),
                                     .bias = bias.vector(),
                                     .out = out.matrix(kUnits)})
                    .ok());
    sums[pads] = out.Read();
  }
  EXPECT_EQ(sums[0], sums[1]);
}

TEST_P(EmbeddingFormTest, ScatterAddMatchesDoubleLoop) {
  for (const DType type : {DType::kFloat32, DType::kBfloat16}) {
    if (type == DType::kBfloat16 && !on_gpu()) continue;
    for (const auto& [rows, width, n, most] : kSizes) {
      const SparseRows sparse = RandomRows(rows, width, most, rows / 5);
      Floats dz = Random(int64_t{rows} * n, 3);
      if (type == DType::kBfloat16) {
        for (float& x : dz) x = RoundToBfloat16(x);
      }
      const Floats before = Random(int64_t{width} * n, 4);
      DeviceRows inputs(stream(), sparse);
      GateArray ddz(stream(), type, dz);
      DeviceArray<float> dw = Put(before);
      DeviceArray<float> scratch =
          NewFloats(ScatterAddScratch(stream(), rows, width, n));
      ASSERT_TRUE(ScatterAdd(stream(), {.inputs = inputs.view(),
                                        .dz = ddz.matrix(n),
                                        .dw = dw.matrix(n),
                                        .scratch = scratch.vector()})
                      .ok());
      std::vector<double> want(before.begin(), before.end());
      for (int r = 0; r < rows; ++r) {
        for (int e = sparse.row_begin[r]; e < sparse.row_begin[r + 1]; ++e) {
          for (int c = 0; c < n; ++c) {
            want[sparse.index[e] * n + c] +=
                static_cast<double>(sparse.value[e]) * dz[r * n + c];
          }
        }
      }
      const std::vector<float> got = dw.Read();
      for (size_t i = 0; i < want.size(); ++i) {
        ASSERT_NEAR(got[i], want[i], 2e-5) << rows << " " << width << " " << n;
      }
    }
  }
}

// The sums of a width that shared memory cannot hold lie in the scratch.
TEST_P(EmbeddingFormTest, ScatterAddOfManyColumns) {
  const int width = 2000, rows = 40, n = 33;
  const SparseRows sparse = RandomRows(rows, width, 30);
  const Floats dz = Random(rows * n, 3);
  DeviceRows inputs(stream(), sparse);
  DeviceArray<float> ddz = Put(dz), dw = Put(Floats(width * n, 1.0f));
  DeviceArray<float> scratch =
      NewFloats(ScatterAddScratch(stream(), rows, width, n));
  ASSERT_TRUE(ScatterAdd(stream(), {.inputs = inputs.view(),
                                    .dz = ddz.matrix(n),
                                    .dw = dw.matrix(n),
                                    .scratch = scratch.vector()})
                  .ok());
  std::vector<double> want(width * n, 1.0);
  for (int r = 0; r < rows; ++r) {
    for (int e = sparse.row_begin[r]; e < sparse.row_begin[r + 1]; ++e) {
      for (int c = 0; c < n; ++c) {
        want[sparse.index[e] * n + c] +=
            static_cast<double>(sparse.value[e]) * dz[r * n + c];
      }
    }
  }
  const std::vector<float> got = dw.Read();
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-5);
}

}  // namespace
}  // namespace continuo
