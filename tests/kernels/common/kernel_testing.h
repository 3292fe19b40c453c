// SPDX-License-Identifier: Apache-2.0

// What the tests of the operations share.

#ifndef CONTINUO_TESTS_KERNELS_COMMON_KERNEL_TESTING_H_
#define CONTINUO_TESTS_KERNELS_COMMON_KERNEL_TESTING_H_

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"
#include "kernels/gemm/packing.h"
// After packing.h, which says what targets there are.
#include "hwy/targets.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/gemm/gemm.h"
#include "runtime/base/random.h"
#include "runtime/device/device.h"

namespace continuo::testing {

// Sizes that exercise full, partial and single-element tiles.
inline constexpr int kOddSizes[] = {1, 31, 33, 130};

template <typename T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <typename U>
  explicit AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64)));
  }
  void deallocate(T* p, size_t) { ::operator delete(p, std::align_val_t(64)); }
  bool operator==(const AlignedAllocator&) const { return true; }
};
using Floats = std::vector<float, AlignedAllocator<float>>;

// `count` numbers uniform in (-scale, scale), a function of the seed.
inline Floats Random(int64_t count, uint64_t seed, double scale = 1.0) {
  Floats values(count);
  for (int64_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(
        scale * (2 * RandomDouble(seed, RandomPurpose::kShuffle, 99, i) - 1));
  }
  return values;
}

// A view of `values` as [rows, columns], or of all of it as a vector.
template <typename Values>
TensorView Matrix(const Values& values, int64_t columns) {
  return TensorView(values.data(),
                    {static_cast<int64_t>(values.size()) / columns, columns});
}
template <typename Values>
TensorView Vector(const Values& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

// A view of one value.
template <typename T>
TensorView Scalar(const T& value) {
  return TensorView(&value, {1});
}

// Threads for a test.
struct Threads {
  explicit Threads(int count) : pool(count) {}
  Stream stream() { return Stream{Device(), &pool}; }
  ThreadPool pool;
};

// The matrix [k, n] (with `transpose`, the one it is the transpose of) packed.
inline Floats Packed(const Floats& matrix, int64_t columns,
                     bool transpose = false) {
  Threads one(1);
  const int64_t rows = static_cast<int64_t>(matrix.size()) / columns;
  Floats packed(transpose ? PackedSize(one.stream(), columns, rows)
                          : PackedSize(one.stream(), rows, columns));
  EXPECT_TRUE(PackMatrix(one.stream(), {.matrix = Matrix(matrix, columns),
                                        .transpose = transpose,
                                        .packed = Vector(packed)})
                  .ok());
  return packed;
}

// Calls fn once for each instruction set that this build and CPU have.
inline void ForEachTarget(absl::FunctionRef<void()> fn) {
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    fn();
  }
  hwy::SetSupportedTargetsForTest(0);
}

// Rows of given lengths, descending, as the recurrent operations take them.
struct TestRaggedLayout {
  explicit TestRaggedLayout(const std::vector<int>& row_lengths)
      : lengths(row_lengths) {
    const int steps = lengths.empty() ? 0 : lengths[0];
    step_begin = {0};
    for (int t = 0; t < steps; ++t) {
      int rows = 0;
      for (int length : lengths) rows += length > t;
      batch_sizes.push_back(rows);
      step_begin.push_back(step_begin.back() + rows);
    }
  }
  RaggedLayout view() const {
    return {.batch_sizes = Vector(batch_sizes),
            .step_begin = Vector(step_begin),
            .rows = rows(),
            .host_batch_sizes = batch_sizes.data(),
            .host_step_begin = step_begin.data()};
  }
  int64_t rows() const { return static_cast<int64_t>(lengths.size()); }
  int64_t steps() const { return static_cast<int64_t>(batch_sizes.size()); }
  int64_t events() const { return step_begin.back(); }
  int64_t event(int64_t t, int64_t row) const { return step_begin[t] + row; }

  std::vector<int> lengths;
  std::vector<int32_t> batch_sizes;
  std::vector<int32_t> step_begin;
};

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_COMMON_KERNEL_TESTING_H_
