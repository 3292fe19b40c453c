// SPDX-License-Identifier: Apache-2.0

// Shapes of batches, and batches in place on the CPU.

#include "models/network/device_batch.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "tests/models/network/small_network.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

TEST(BatchShapeTest, BucketsAddLittle) {
  for (int64_t events = 1; events < 100000; events += 1 + events / 50) {
    const int64_t bucket = BucketEvents(events);
    EXPECT_GE(bucket, events);
    EXPECT_LT(bucket - events, std::max<double>(64, events / 16.0)) << events;
    // One bucket serves all sizes up to its own.
    EXPECT_EQ(BucketEvents(bucket), bucket);
  }
  EXPECT_EQ(BucketEvents(41000), 43008);
}

TEST(BatchShapeTest, OfABatch) {
  const PackedBatch batch = Pack(Examples(Specs()[0]));
  const BatchShape exact = ExactShape(batch);
  EXPECT_EQ(exact.rows, 15);
  EXPECT_EQ(exact.steps, 16);
  EXPECT_EQ(exact.events, batch.num_events());
  EXPECT_EQ(exact.entries, 2 * batch.num_events());
  const BatchShape bucket = BucketShape(batch);
  EXPECT_EQ(bucket.rows, 15);
  EXPECT_EQ(bucket.steps, 16);
  EXPECT_EQ(bucket.events, BucketEvents(exact.events));
  EXPECT_GE(bucket.entries, exact.entries);
}

TEST(DeviceBatchTest, IsInPlaceOnTheCpu) {
  const PackedBatch batch = Pack(Examples(Specs()[0]));
  ThreadPool pool(1);
  DeviceBatch on_cpu({.device = {}, .pool = &pool});
  ASSERT_TRUE(on_cpu
                  .Load(batch, /*recorded=*/false,
                        {.dropout_step = 7, .loss_scale = 0.5f, .rate = 2.0f})
                  .ok());
  EXPECT_EQ(on_cpu.shape(), ExactShape(batch));
  EXPECT_EQ(on_cpu.ragged.batch_sizes.raw, batch.batch_sizes.data());
  EXPECT_EQ(on_cpu.ragged.host_batch_sizes, batch.batch_sizes.data());
  EXPECT_EQ(on_cpu.inputs.index.raw, batch.inputs.index.data());
  EXPECT_EQ(on_cpu.labels.raw, batch.labels.data());
  EXPECT_EQ(*on_cpu.dropout_step.data<uint64_t>(), 7u);
  EXPECT_EQ(*on_cpu.loss_scale.data<float>(), 0.5f);
  EXPECT_EQ(*on_cpu.rate.data<float>(), 2.0f);
  for (int t = 0; t < batch.num_steps(); ++t) {
    for (int row = 0; row < batch.batch_sizes[t]; ++row) {
      EXPECT_EQ(on_cpu.previous.data<int32_t>()[batch.step_begin[t] + row],
                t == 0 ? -1 : batch.step_begin[t - 1] + row);
    }
  }
}

}  // namespace
}  // namespace continuo
