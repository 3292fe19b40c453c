// SPDX-License-Identifier: Apache-2.0

#include "data/records/sequence_example.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/records/sequence_example_writer.h"
#include "gtest/gtest.h"
#include "tests/testing/examples.h"

namespace continuo {
namespace {

using testing::MakeExample;

const ExampleFormat kTwoHeads = {
    .input_size = 4, .head_sizes = {3, 5}, .config = "test_config"};

std::string Good() {
  return MakeExample({{0, 1, 0, -2.5f}, {0, 0, 0, 0}, {1, 0, 0, 0}},
                     {{0, 4}, {2, 0}, {1, 1}})
      .SerializeAsString();
}

std::string MustFail(const std::string& bytes, absl::StatusCode code) {
  EncodedSequence example;
  const absl::Status status =
      ParseSequenceExample(bytes, kTwoHeads, "f.tfrecord: record 7", &example);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "f.tfrecord: record 7"))
      << status;
  return std::string(status.message());
}

TEST(SequenceExampleTest, NonZeroValuesBecomeSparseRows) {
  EncodedSequence example;
  // Left over from an earlier example, to be replaced.
  example.inputs.Add(1, 1);
  example.labels = {9};
  const absl::Status status =
      ParseSequenceExample(Good(), kTwoHeads, "x", &example);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(example.inputs.width, 4);
  EXPECT_EQ(example.inputs.row_begin, (std::vector<int32_t>{0, 2, 2, 3}));
  EXPECT_EQ(example.inputs.index, (std::vector<int32_t>{1, 3, 0}));
  EXPECT_EQ(example.inputs.value, (std::vector<float>{1, -2.5f, 1}));
  EXPECT_EQ(example.labels, (std::vector<int64_t>{0, 4, 2, 0, 1, 1}));
}

TEST(SequenceExampleTest, IndexInputsAreOneFloatInFiles) {
  const ExampleFormat format = {.input_size = 388,
                                .head_sizes = {388},
                                .index_inputs = true,
                                .config = "compact"};
  EncodedSequence example;
  const std::string bytes =
      MakeExample({{0}, {387}, {5}}, {{1}, {2}, {3}}).SerializeAsString();
  const absl::Status status =
      ParseSequenceExample(bytes, format, "x", &example);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(example.inputs.width, 388);
  EXPECT_EQ(example.inputs.row_begin, (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(example.inputs.index, (std::vector<int32_t>{0, 387, 5}));
  EXPECT_EQ(example.inputs.value, (std::vector<float>{1, 1, 1}));

  // Written, they are the same again.
  EncodedSequence again;
  ASSERT_TRUE(ParseSequenceExample(
                  SerializeSequenceExample(example, 1, /*index_inputs=*/true),
                  format, "x", &again)
                  .ok());
  EXPECT_EQ(again.inputs.index, example.inputs.index);
  EXPECT_EQ(again.labels, example.labels);

  for (const float bad : {388.0f, -1.0f, 1.5f}) {
    EXPECT_EQ(ParseSequenceExample(
                  MakeExample({{1}, {bad}}, {{1}, {2}}).SerializeAsString(),
                  format, "x", &example)
                  .code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(SequenceExampleTest, UnpackedValuesAreReadToo) {
  // Inputs {1, 0} and label 1, each value with a tag of its own.
  const std::string inputs("\x12\x0a\x0d\x00\x00\x80\x3f\x0d\x00\x00\x00\x00",
                           12);
  const std::string labels("\x1a\x02\x08\x01", 4);
  const auto field = [](absl::string_view tag, absl::string_view bytes) {
    const char size = static_cast<char>(bytes.size());
    return absl::StrCat(tag, absl::string_view(&size, 1), bytes);
  };
  const auto list = [&](absl::string_view key, absl::string_view feature) {
    return field("\x0a", absl::StrCat(field("\x0a", key),
                                      field("\x12", field("\x0a", feature))));
  };
  const std::string bytes = field(
      "\x12", absl::StrCat(list("inputs", inputs), list("labels", labels)));
  EncodedSequence example;
  const absl::Status status = ParseSequenceExample(
      bytes, {.input_size = 2, .head_sizes = {2}, .config = "c"}, "x",
      &example);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(example.inputs.row_begin, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(example.inputs.index, (std::vector<int32_t>{0}));
  EXPECT_EQ(example.labels, (std::vector<int64_t>{1}));
}

TEST(SequenceExampleTest, ContextAndOtherListsAreIgnored) {
  tensorflow::SequenceExample message;
  message.ParseFromString(Good());
  (*message.mutable_context()->mutable_feature())["id"]
      .mutable_bytes_list()
      ->add_value(std::string(3, 'x'));
  (*message.mutable_feature_lists()->mutable_feature_list())["other"]
      .add_feature();
  EncodedSequence example;
  EXPECT_TRUE(ParseSequenceExample(message.SerializeAsString(), kTwoHeads, "x",
                                   &example)
                  .ok());
  EXPECT_EQ(example.inputs.rows(), 3);
}

TEST(SequenceExampleTest, WrongWidthNamesBothWidthsAndTheConfig) {
  const std::string message = MustFail(
      MakeExample({{0, 1, 0, 0}, {1, 0}}, {{0, 0}, {0, 0}}).SerializeAsString(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(
      message, "inputs at step 1: 2 values, but test_config expects 4"))
      << message;
  MustFail(MakeExample({{0, 1, 0, 0, 0}}, {{0, 0}}).SerializeAsString(),
           absl::StatusCode::kInvalidArgument);
  const std::string labels =
      MustFail(MakeExample({{0, 1, 0, 0}}, {{0}}).SerializeAsString(),
               absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(
      labels, "labels at step 0: 1 values, but test_config expects 2"))
      << labels;
}

TEST(SequenceExampleTest, LabelsOutsideTheirHeadAreRefused) {
  for (const std::vector<int64_t>& label :
       {std::vector<int64_t>{3, 0}, {0, 5}, {-1, 0}}) {
    const std::string message =
        MustFail(MakeExample({{0, 1, 0, 0}}, {label}).SerializeAsString(),
                 absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(message, "has the classes 0..")) << message;
  }
}

TEST(SequenceExampleTest, ValuesThatAreNotFiniteAreRefused) {
  for (float value : {std::numeric_limits<float>::infinity(),
                      std::numeric_limits<float>::quiet_NaN()}) {
    MustFail(MakeExample({{0, value, 0, 0}}, {{0, 0}}).SerializeAsString(),
             absl::StatusCode::kInvalidArgument);
  }
}

TEST(SequenceExampleTest, OtherShapesAreRefused) {
  MustFail(MakeExample({{0, 1, 0, 0}}, {{0, 0}, {0, 0}}).SerializeAsString(),
           absl::StatusCode::kInvalidArgument);
  MustFail("", absl::StatusCode::kInvalidArgument);
  tensorflow::SequenceExample empty;
  (*empty.mutable_feature_lists()->mutable_feature_list())["inputs"];
  (*empty.mutable_feature_lists()->mutable_feature_list())["labels"];
  MustFail(empty.SerializeAsString(), absl::StatusCode::kInvalidArgument);
  // Integers where floats belong.
  tensorflow::SequenceExample swapped;
  auto& lists = *swapped.mutable_feature_lists()->mutable_feature_list();
  lists["inputs"].add_feature()->mutable_int64_list()->add_value(1);
  lists["labels"].add_feature()->mutable_int64_list()->add_value(1);
  EXPECT_TRUE(absl::StrContains(
      MustFail(swapped.SerializeAsString(), absl::StatusCode::kInvalidArgument),
      "expected floats"));
}

TEST(SequenceExampleTest, TruncationAtEveryByteIsAnError) {
  const std::string bytes = Good();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EncodedSequence example;
    EXPECT_FALSE(
        ParseSequenceExample(bytes.substr(0, size), kTwoHeads, "x", &example)
            .ok())
        << size;
  }
}

}  // namespace
}  // namespace continuo
