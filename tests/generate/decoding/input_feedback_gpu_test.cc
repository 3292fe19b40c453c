// SPDX-License-Identifier: Apache-2.0

// Inputs made from labels on every device, against the encoders' own rows.

#include <random>

#include "data/events/encoder_table.h"
#include "generate/decoding/input_feedback_tables.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class InputFeedbackTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, InputFeedbackTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

struct Row {
  std::vector<int64_t> label;
  std::vector<int64_t> events;
};

// Steps of `rows` random sequences, reordered now and then.
void ExpectEncodersRows(const Stream& stream, const EncodingSpec& spec,
                        int64_t rows, int steps) {
  const auto encoder = MakeEventEncoder(spec);
  const auto feedback = encoder->InputFeedback();
  ASSERT_TRUE(feedback.has_value());
  DeviceArray<int32_t> index_table(stream, feedback->index);
  DeviceArray<float> value_table(stream, feedback->value);
  const InputFeedbackEncoding encoding =
      MakeInputFeedbackEncoding(*feedback, encoder->head_sizes(),
                                index_table.vector(), value_table.vector());
  const int64_t size = InputFeedbackStateSize(encoding);
  const int64_t entries = InputFeedbackEntries(encoding);
  const int heads = encoder->num_heads();

  std::mt19937 random(3);
  std::vector<Row> now(rows);
  std::vector<int32_t> state(rows * size, 0);
  for (int step = 0; step < steps; ++step) {
    std::vector<int64_t> choice;
    for (Row& row : now) {
      row.label.clear();
      for (int classes : encoder->head_sizes()) {
        // Often one of the last classes, which repeat earlier events.
        const int64_t drawn = random() % classes;
        row.label.push_back(random() % 3 == 0
                                ? std::max<int64_t>(0, classes - 1 - drawn % 4)
                                : drawn);
      }
      choice.insert(choice.end(), row.label.begin(), row.label.end());
      row.events.push_back(encoder->DecodeLabel(row.label, row.events));
    }
    std::vector<int32_t> source;
    if (step % 3 == 2) {
      const int64_t next_rows = std::max<int64_t>(1, rows + 1 - step % 4);
      for (int64_t r = 0; r < next_rows; ++r) {
        source.push_back(static_cast<int32_t>(random() % now.size()));
      }
      std::vector<Row> next;
      for (int32_t from : source) next.push_back(now[from]);
      now = std::move(next);
    }
    const auto count = static_cast<int64_t>(now.size());
    DeviceArray<int64_t> device_choice(stream, choice);
    DeviceArray<int32_t> device_state(stream, state);
    DeviceArray<int32_t> device_source(stream, source);
    DeviceArray<int32_t> next_state(stream, count * size);
    DeviceArray<int32_t> index(stream, count * entries);
    DeviceArray<float> value(stream, count * entries);
    ASSERT_TRUE(InputFeedback(
                    stream, {.encoding = encoding,
                             .source = source.empty() ? TensorView()
                                                      : device_source.vector(),
                             .choice = device_choice.matrix(heads),
                             .state = device_state.matrix(size),
                             .next_state = next_state.matrix(size),
                             .index = index.matrix(entries),
                             .value = value.matrix(entries)})
                    .ok());
    state = next_state.Read();
    rows = count;
    const std::vector<int32_t> indices = index.Read();
    const std::vector<float> values = value.Read();
    for (int64_t r = 0; r < count; ++r) {
      SparseRows want;
      ASSERT_TRUE(
          encoder->EncodeInputs(now[r].events, step, step + 1, &want).ok());
      SparseRows got;
      int32_t last = -1;
      for (int64_t i = r * entries; i < (r + 1) * entries; ++i) {
        ASSERT_GE(indices[i], last);
        ASSERT_LT(indices[i], encoder->input_size());
        last = indices[i];
        if (values[i] != 0) got.Add(indices[i], values[i]);
      }
      ASSERT_EQ(got.index, want.index) << "row " << r << " step " << step;
      ASSERT_EQ(got.value, want.value) << "row " << r << " step " << step;
    }
  }
}

TEST_P(InputFeedbackTest, RowsAreTheEncoders) {
  const EncodingSpec specs[] = {
      {.encoding = Encoding::kOneHotMelody, .min_note = 48, .max_note = 84},
      {.encoding = Encoding::kOneHotMelody},
      {.encoding = Encoding::kLookbackMelody, .min_note = 48, .max_note = 84},
      {.encoding = Encoding::kKeyMelody, .min_note = 48, .max_note = 84},
      {.encoding = Encoding::kKeyMelody},
      {.encoding = Encoding::kOneDrum},
      {.encoding = Encoding::kDrumKit},
      {.encoding = Encoding::kPerformance},
      {.encoding = Encoding::kPerformance, .num_velocity_bins = 32},
      {.encoding = Encoding::kCompactPerformance, .num_velocity_bins = 32},
      {.encoding = Encoding::kModuloPerformance, .num_velocity_bins = 32},
      {.encoding = Encoding::kNoteTuples, .num_velocity_bins = 32}};
  for (const EncodingSpec& spec : specs) {
    SCOPED_TRACE(static_cast<int>(spec.encoding));
    ExpectEncodersRows(stream(), spec, 33, on_gpu() ? 45 : 300);
  }
  ExpectEncodersRows(stream(), specs[3], 1, 40);
  if (!on_gpu()) ExpectEncodersRows(stream(), specs[3], 130, 70);
}

TEST(InputFeedbackSpecTest, ConditionedInputsHaveNone) {
  EXPECT_FALSE(MakeEventEncoder({.encoding = Encoding::kPerformance,
                                 .num_velocity_bins = 32,
                                 .controls = {.density = true}})
                   ->InputFeedback()
                   .has_value());
}

}  // namespace
}  // namespace continuo
