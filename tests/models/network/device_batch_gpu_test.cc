// SPDX-License-Identifier: Apache-2.0

// What a batch's arrays hold on a CUDA device.

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "models/network/device_batch.h"
#include "runtime/device/device_copy.h"
#include "tests/models/network/small_network.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class DeviceBatchGpuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
    owned_ = *OwnedStream::Open({.type = DeviceType::kCuda}, {}, &pool_);
  }
  template <typename T>
  std::vector<T> Read(const TensorView& array) const {
    std::vector<T> values(array.num_elements());
    EXPECT_TRUE(CopyAndWait(owned_.stream(), array,
                            TensorView(values.data(), array.shape))
                    .ok());
    return values;
  }
  // The values, then `pad` up to `size`.
  template <typename T>
  static std::vector<T> Padded(std::vector<T> values, int64_t size, T pad) {
    values.resize(size, pad);
    return values;
  }

  void ExpectHolds(const DeviceBatch& there, const PackedBatch& batch) const {
    const BatchShape& shape = there.shape();
    const int32_t events = batch.num_events();
    EXPECT_EQ(there.events(), events);
    EXPECT_EQ(there.ragged.rows, shape.rows);
    EXPECT_EQ(Read<int32_t>(there.ragged.batch_sizes),
              Padded(batch.batch_sizes, shape.steps, 0));
    EXPECT_EQ(Read<int32_t>(there.ragged.step_begin),
              Padded(batch.step_begin, shape.steps + 1, events));
    EXPECT_EQ(Read<int32_t>(there.source), batch.source);
    EXPECT_EQ(Read<int32_t>(there.inputs.row_begin),
              Padded(batch.inputs.row_begin, shape.events + 1,
                     batch.inputs.row_begin.back()));
    EXPECT_EQ(Read<int32_t>(there.inputs.index),
              Padded(batch.inputs.index, shape.entries, 0));
    EXPECT_EQ(Read<float>(there.inputs.value),
              Padded(batch.inputs.value, shape.entries, 0.0f));
    EXPECT_EQ(Read<int64_t>(there.labels),
              Padded(batch.labels, shape.events * batch.heads, int64_t{-1}));
    const std::vector<int32_t> previous = Read<int32_t>(there.previous);
    ASSERT_EQ(static_cast<int64_t>(previous.size()), shape.events);
    for (int t = 0; t < batch.num_steps(); ++t) {
      for (int row = 0; row < batch.batch_sizes[t]; ++row) {
        EXPECT_EQ(previous[batch.step_begin[t] + row],
                  t == 0 ? -1 : batch.step_begin[t - 1] + row);
      }
    }
    EXPECT_TRUE(std::all_of(previous.begin() + events, previous.end(),
                            [](int32_t event) { return event == -1; }));
  }
  void ExpectScalars(const DeviceBatch& there, const StepScalars& want) const {
    EXPECT_EQ(Read<uint64_t>(there.dropout_step)[0], want.dropout_step);
    EXPECT_EQ(Read<float>(there.loss_scale)[0], want.loss_scale);
    EXPECT_EQ(Read<float>(there.rate)[0], want.rate);
  }

  ThreadPool pool_{1};
  OwnedStream owned_;
};

TEST_F(DeviceBatchGpuTest, ArraysArriveWithTheirPadding) {
  const NetworkSpec spec = Specs()[0];
  DeviceBatch there(owned_.stream());
  const StepScalars before = {.dropout_step = 1, .loss_scale = 2, .rate = 3};
  ASSERT_TRUE(there.LoadScalars(before).ok());
  ExpectScalars(there, before);
  uint64_t scalar = 0;
  for (const int count : {3, 15, 1, 15, 40}) {
    std::vector<EncodedSequence> examples;
    for (int i = 0; i < count; ++i) {
      examples.push_back(Example(spec, i, 1 + i * 7 % (count + 3)));
    }
    const PackedBatch batch = Pack(examples);
    for (const bool recorded : {true, false}) {
      const StepScalars scalars = {
          .dropout_step = ++scalar, .loss_scale = 0.5f / count, .rate = 0.25f};
      ASSERT_TRUE(there.Load(batch, recorded, scalars).ok());
      EXPECT_EQ(there.shape(),
                recorded ? BucketShape(batch) : ExactShape(batch));
      EXPECT_EQ(there.ragged.host_batch_sizes == nullptr, recorded);
      ExpectHolds(there, batch);
      ExpectScalars(there, scalars);
      StepScalars other = scalars;
      other.rate = 7;
      ASSERT_TRUE(there.LoadScalars(other).ok());
      ExpectScalars(there, other);
      ExpectHolds(there, batch);
    }
  }
}

TEST_F(DeviceBatchGpuTest, GenerationTellsWhetherArraysMoved) {
  const NetworkSpec spec = Specs()[0];
  DeviceBatch there(owned_.stream());
  const PackedBatch small = Pack({Example(spec, 1, 3)});
  const PackedBatch large = Pack({Example(spec, 2, 3000)});
  ASSERT_TRUE(there.Load(small, true, {}).ok());
  const uint64_t first = there.generation();
  const void* labels = there.labels.raw;
  ASSERT_TRUE(there.Load(Pack({Example(spec, 3, 2)}), true, {}).ok());
  EXPECT_EQ(there.generation(), first);
  EXPECT_EQ(there.labels.raw, labels);
  ASSERT_TRUE(there.Load(large, true, {}).ok());
  EXPECT_NE(there.generation(), first);
}

}  // namespace
}  // namespace continuo
