// SPDX-License-Identifier: Apache-2.0

// NumPy's .npy files as the golden data uses them: float32 or int64, C order.

#ifndef CONTINUO_TESTS_TESTING_NPY_H_
#define CONTINUO_TESTS_TESTING_NPY_H_

#include <cstdint>
#include <string>
#include <vector>

namespace continuo::testing {

// Exactly one of `floats` and `ints` is filled, as the file's type says.
struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<float> floats;
  std::vector<int64_t> ints;

  int64_t num_elements() const;
};

// Reads a file; ends the program with the path if it is not such an array.
NpyArray MustReadNpy(const std::string& path);

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_NPY_H_
