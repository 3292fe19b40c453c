// SPDX-License-Identifier: Apache-2.0

// SparseRows: the inputs of a sequence as (index, value) lists.
//
// Every published encoding is a few ones (and at most a dozen other floats) per
// step, whatever its width, so inputs travel like this from the reader to the
// gather-sum of weight rows (kernels/layers/embedding.h).

#ifndef CONTINUO_DATA_RECORDS_SPARSE_ROWS_H_
#define CONTINUO_DATA_RECORDS_SPARSE_ROWS_H_

#include <cstdint>
#include <vector>

namespace continuo {

// Compressed sparse rows. Row r holds entries [row_begin[r], row_begin[r+1]),
// indices strictly ascending within a row, no zero values.
struct SparseRows {
  int width = 0;                         // columns
  std::vector<int32_t> row_begin = {0};  // [rows + 1]
  std::vector<int32_t> index;            // [entries], in [0, width)
  std::vector<float> value;              // [entries]

  int rows() const { return static_cast<int>(row_begin.size()) - 1; }

  // Adds an entry to the row being built; EndRow closes it.
  void Add(int column, float v) {
    index.push_back(column);
    value.push_back(v);
  }
  void EndRow() { row_begin.push_back(static_cast<int32_t>(index.size())); }

  // Adds a copy of row `r` of `other`.
  void AppendRow(const SparseRows& other, int r) {
    const int32_t begin = other.row_begin[r];
    const int32_t end = other.row_begin[r + 1];
    index.insert(index.end(), other.index.begin() + begin,
                 other.index.begin() + end);
    value.insert(value.end(), other.value.begin() + begin,
                 other.value.begin() + end);
    EndRow();
  }

  void Clear() {
    row_begin.assign(1, 0);
    index.clear();
    value.clear();
  }
};

// One training example: row i holds the input at event i, labels the events
// that follow, `heads` numbers a row (one, but for note tuples).
struct EncodedSequence {
  SparseRows inputs;
  std::vector<int64_t> labels;  // [inputs.rows() * heads]
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_SPARSE_ROWS_H_
