// SPDX-License-Identifier: Apache-2.0

// SequenceExamples made by protocol buffers, the oracle of the wire parser.

#ifndef CONTINUO_TESTS_TESTING_EXAMPLES_H_
#define CONTINUO_TESTS_TESTING_EXAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "data/proto/example.pb.h"
#include "data/records/tfrecord.h"
#include "runtime/base/log.h"

namespace continuo::testing {

// An example of dense inputs [steps][width] and labels [steps][heads].
inline tensorflow::SequenceExample MakeExample(
    const std::vector<std::vector<float>>& inputs,
    const std::vector<std::vector<int64_t>>& labels) {
  tensorflow::SequenceExample example;
  auto& lists = *example.mutable_feature_lists()->mutable_feature_list();
  for (const auto& step : inputs) {
    auto* values = lists["inputs"].add_feature()->mutable_float_list();
    for (float value : step) values->add_value(value);
  }
  for (const auto& step : labels) {
    auto* values = lists["labels"].add_feature()->mutable_int64_list();
    for (int64_t value : step) values->add_value(value);
  }
  return example;
}

// A one-hot example of `labels`: the input of step i is class `inputs[i]`.
inline std::string OneHotExample(const std::vector<int>& inputs,
                                 const std::vector<int64_t>& labels,
                                 int width) {
  std::vector<std::vector<float>> dense;
  std::vector<std::vector<int64_t>> rows;
  for (int input : inputs) {
    dense.emplace_back(width, 0.0f);
    dense.back()[input] = 1;
  }
  for (int64_t label : labels) rows.push_back({label});
  return MakeExample(dense, rows).SerializeAsString();
}

// A melody-like one-hot example: `steps` events of `width` classes that repeat
// a short pattern chosen by `variant`, so that a network can learn it.
inline std::string PatternExample(int variant, int steps, int width) {
  std::vector<int> inputs;
  std::vector<int64_t> labels;
  const auto event = [&](int i) {
    return (i % 4 == 0)
               ? 2 + (variant * 5 + i * (1 + variant % 3)) % (width - 2)
               : 0;
  };
  for (int i = 0; i < steps; ++i) {
    inputs.push_back(event(i));
    labels.push_back(event(i + 1));
  }
  return OneHotExample(inputs, labels, width);
}

// Writes a TFRecord file of these records; ends the program if it cannot.
inline void MustWriteRecords(const std::string& path,
                             const std::vector<std::string>& records) {
  auto writer = TfRecordWriter::Create(path);
  CONTINUO_CHECK(writer.ok());
  for (const std::string& record : records) {
    CONTINUO_CHECK((*writer)->Append(record).ok());
  }
  CONTINUO_CHECK((*writer)->Commit().ok());
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_EXAMPLES_H_
