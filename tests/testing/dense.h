// SPDX-License-Identifier: Apache-2.0

// Sparse rows as the dense arrays that golden files hold.

#ifndef CONTINUO_TESTS_TESTING_DENSE_H_
#define CONTINUO_TESTS_TESTING_DENSE_H_

#include <cstddef>
#include <vector>

#include "data/records/sparse_rows.h"
#include "gtest/gtest.h"

namespace continuo::testing {

// Row-major [rows, width].
inline std::vector<float> Dense(const SparseRows& rows) {
  std::vector<float> dense(static_cast<size_t>(rows.rows()) * rows.width);
  for (int row = 0; row < rows.rows(); ++row) {
    for (int i = rows.row_begin[row]; i < rows.row_begin[row + 1]; ++i) {
      dense[static_cast<size_t>(row) * rows.width + rows.index[i]] =
          rows.value[i];
    }
  }
  return dense;
}

// The invariants of SparseRows: ascending columns, no zero values.
inline void CheckSorted(const SparseRows& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    for (int i = rows.row_begin[row]; i < rows.row_begin[row + 1]; ++i) {
      EXPECT_NE(rows.value[i], 0.0f);
      if (i > rows.row_begin[row]) {
        EXPECT_LT(rows.index[i - 1], rows.index[i]);
      }
    }
  }
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_DENSE_H_
