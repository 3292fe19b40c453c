// SPDX-License-Identifier: Apache-2.0

#include "data/records/sequence_example_writer.h"

#include <string>
#include <vector>

#include "data/proto/example.pb.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

// Rows with values in their first, middle and last columns.
EncodedSequence MakeExample(int rows, int width, int heads) {
  EncodedSequence example;
  example.inputs.width = width;
  for (int row = 0; row < rows; ++row) {
    if (row % 3 != 2) example.inputs.Add(0, 1.0f);
    if (width > 2) example.inputs.Add(1 + row % (width - 2), -0.25f * row - 1);
    if (width > 1 && row % 2 == 0) example.inputs.Add(width - 1, 1e-30f);
    example.inputs.EndRow();
    for (int head = 0; head < heads; ++head) {
      // One, two and three bytes on the wire.
      example.labels.push_back(int64_t{row} * (head == 2 ? 5000 : 50));
    }
  }
  return example;
}

// The proto classes read back what went in.
TEST(SequenceExampleWriterTest, ProtoReadsItBack) {
  for (int rows : {0, 1, 2, 130, 600}) {
    for (int width : {1, 2, 31, 32, 74, 130, 5000}) {
      for (int heads : {1, 6}) {
        const EncodedSequence example = MakeExample(rows, width, heads);
        const std::string bytes = SerializeSequenceExample(example, heads);
        tensorflow::SequenceExample proto;
        ASSERT_TRUE(proto.ParseFromString(bytes));
        // No slack: the proto's own form is as long.
        EXPECT_EQ(proto.ByteSizeLong(), bytes.size());
        EXPECT_FALSE(proto.has_context());
        const auto& lists = proto.feature_lists().feature_list();
        ASSERT_EQ(lists.size(), 2u);
        const auto& inputs = lists.at("inputs");
        const auto& labels = lists.at("labels");
        ASSERT_EQ(inputs.feature_size(), rows);
        ASSERT_EQ(labels.feature_size(), rows);
        for (int row = 0; row < rows; ++row) {
          std::vector<float> dense(width);
          for (int i = example.inputs.row_begin[row];
               i < example.inputs.row_begin[row + 1]; ++i) {
            dense[example.inputs.index[i]] = example.inputs.value[i];
          }
          const auto& values = inputs.feature(row).float_list().value();
          ASSERT_EQ(std::vector<float>(values.begin(), values.end()), dense);
          const auto& own = labels.feature(row).int64_list().value();
          ASSERT_EQ(own.size(), heads);
          for (int head = 0; head < heads; ++head) {
            ASSERT_EQ(own[head], example.labels[row * heads + head]);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace continuo
