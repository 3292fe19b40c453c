// SPDX-License-Identifier: Apache-2.0

// Small examples that tell which they are.

#ifndef CONTINUO_TESTS_TESTING_NUMBERED_EXAMPLES_H_
#define CONTINUO_TESTS_TESTING_NUMBERED_EXAMPLES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/records/dataset.h"
#include "runtime/base/log.h"
#include "runtime/base/threads.h"
#include "tests/testing/examples.h"

namespace continuo::testing {

inline const ExampleFormat kNumberedFormat = {
    .input_size = 8, .head_sizes = {8}, .config = "test_config"};

// Example i has i % 3 + 1 steps, and its first label tells which it is.
inline std::string Numbered(int i) {
  const int steps = i % 3 + 1;
  std::vector<int64_t> labels(steps, 7);
  labels[0] = i % 7;
  return OneHotExample(std::vector<int>(steps, i % 8), labels, 8);
}

inline std::unique_ptr<Dataset> MustOpenNumbered(const std::string& pattern) {
  ThreadPool pool(2);
  auto dataset = Dataset::Open(pattern, kNumberedFormat, &pool);
  CONTINUO_CHECK(dataset.ok());
  return *std::move(dataset);
}

inline std::vector<std::string> NumberedRange(int begin, int end) {
  std::vector<std::string> records;
  for (int i = begin; i < end; ++i) records.push_back(Numbered(i));
  return records;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_NUMBERED_EXAMPLES_H_
