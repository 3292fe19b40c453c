// SPDX-License-Identifier: Apache-2.0

// Gradients of micro-batches: their sum, its bits, its memory.

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "models/network/event_rnn.h"
#include "runtime/collective/in_memory.h"
#include "tests/models/network/small_network.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// Part `range` of the batch of all examples.
BatchPart Part(const std::vector<EncodedSequence>& examples,
               const MicroBatchRange& range) {
  std::vector<int32_t> lengths;
  BatchPart part;
  for (const EncodedSequence& example : examples) {
    lengths.push_back(example.inputs.rows());
    part.num_events += example.inputs.rows();
  }
  const auto cut = CutBatch(lengths, range.count);
  for (int k = range.begin; k < range.end; ++k) {
    std::vector<EncodedSequence> rows;
    for (const int32_t row : cut[k]) rows.push_back(examples[row]);
    part.micro_batches.push_back(Pack(rows));
    for (int32_t& source : part.micro_batches.back().source) {
      source = cut[k][source];
    }
  }
  return part;
}

struct PartTrainer {
  PartTrainer(const Model& model, const GradientShare& its_share)
      : share(its_share),
        trainer(*EventRnnTrainer::Create(model.rnn.get(), 2, 8,
                                         /*inference_only=*/false, share)),
        flat_size(model.rnn->flat_size()) {}

  void Compute(const std::vector<EncodedSequence>& examples) {
    EXPECT_TRUE(
        trainer->ComputePart(Part(examples, share.range()), kDropout, &sums)
            .ok());
  }
  std::vector<float> Gradient() const {
    std::vector<float> gradient(flat_size);
    EXPECT_TRUE(trainer->GetGradient(absl::MakeSpan(gradient)).ok());
    return gradient;
  }

  GradientShare share;
  std::unique_ptr<EventRnnTrainer> trainer;
  int64_t flat_size;
  std::vector<LossSums> sums;
};

TEST(EventRnnMicroBatchesTest, OneIsTheWholeBatchBitForBit) {
  for (const NetworkSpec& spec : Specs()) {
    const std::vector<EncodedSequence> examples = Examples(spec);
    Model model(spec, 2);
    const PackedBatch batch = Pack(examples);
    const std::vector<float> whole = model.Gradient(batch, kDropout);
    LossSums want;
    ASSERT_TRUE(model.trainer->ComputeGradients(batch, kDropout, &want).ok());
    PartTrainer one(model, {});
    one.Compute(examples);
    ASSERT_TRUE(one.trainer->Reduce().ok());
    EXPECT_EQ(one.Gradient(), whole);
    ASSERT_EQ(one.sums.size(), 1);
    EXPECT_EQ(one.sums[0].cross_entropy, want.cross_entropy);
  }
}

// Dropout included: its mask knows the place in the whole batch.
TEST(EventRnnMicroBatchesTest, TheSumIsTheGradientOfTheBatch) {
  for (const NetworkSpec& spec : Specs()) {
    const std::vector<EncodedSequence> examples = Examples(spec);
    Model model(spec, 2);
    const PackedBatch batch = Pack(examples);
    const std::vector<float> whole = model.Gradient(batch, kDropout);
    LossSums want;
    ASSERT_TRUE(model.trainer->ComputeGradients(batch, kDropout, &want).ok());
    for (const int count : {2, 3, 8, 20}) {  // of 15 rows
      PartTrainer parts(model, {.micro_batches = count});
      parts.Compute(examples);
      ASSERT_TRUE(parts.trainer->Reduce().ok());
      const std::vector<float> sum = parts.Gradient();
      for (size_t i = 0; i < sum.size(); ++i) {
        ASSERT_NEAR(sum[i], whole[i], 1e-5) << i;
      }
      double cross_entropy = 0;
      int64_t labels = 0, correct = 0;
      for (const LossSums& micro : parts.sums) {
        cross_entropy += micro.cross_entropy;
        labels += micro.labels;
        correct += micro.correct;
      }
      EXPECT_NEAR(cross_entropy / want.cross_entropy, 1, 1e-6);
      EXPECT_EQ(labels, want.labels);
      EXPECT_EQ(correct, want.correct);
    }
  }
}

TEST(EventRnnMicroBatchesTest, GradientsAreAddedByTheTree) {
  const NetworkSpec spec = Specs()[1];
  const std::vector<EncodedSequence> examples = Examples(spec);
  Model model(spec, 2);
  std::vector<std::vector<float>> each;
  for (const auto& rank : MakeInMemory(7)) {
    PartTrainer one(model, {.micro_batches = 7, .collective = rank.get()});
    one.Compute(examples);
    each.push_back(one.Gradient());
  }
  PartTrainer all(model, {.micro_batches = 7});
  all.Compute(examples);
  ASSERT_TRUE(all.trainer->Reduce().ok());
  const std::vector<float> sum = all.Gradient();
  const auto at = [&each](size_t i, int k) { return each[k][i]; };
  bool order_matters = false;
  for (size_t i = 0; i < sum.size(); ++i) {
    const float left = (at(i, 0) + at(i, 1)) + (at(i, 2) + at(i, 3));
    ASSERT_EQ(sum[i], left + ((at(i, 4) + at(i, 5)) + at(i, 6))) << i;
    float in_turn = 0;
    for (int k = 0; k < 7; ++k) in_turn += at(i, k);
    order_matters = order_matters || sum[i] != in_turn;
  }
  EXPECT_TRUE(order_matters);
}

// Each rank gets the bits that one process has.
TEST(EventRnnMicroBatchesTest, RanksReduceAsOneProcessDoes) {
  for (const NetworkSpec& spec : {Specs()[1], Specs()[2]}) {
    const std::vector<EncodedSequence> examples = Examples(spec);
    for (const int count : {1, 6, 8}) {
      Model model(spec, 2);
      PartTrainer one(model, {.micro_batches = count});
      one.Compute(examples);
      ASSERT_TRUE(one.trainer->Reduce().ok());
      const std::vector<float> want = one.Gradient();
      for (const int ranks : {2, 3, 5, 8}) {
        const auto collectives = MakeInMemory(ranks);
        std::vector<std::vector<float>> got(ranks);
        std::vector<std::thread> threads;
        for (int rank = 0; rank < ranks; ++rank) {
          threads.emplace_back([&, rank] {
            Model own(spec, 1);
            PartTrainer part(own, {.micro_batches = count,
                                   .collective = collectives[rank].get()});
            part.Compute(examples);
            EXPECT_TRUE(part.trainer->Reduce().ok());
            got[rank] = part.Gradient();
          });
        }
        for (std::thread& thread : threads) thread.join();
        for (const std::vector<float>& gradient : got) {
          EXPECT_TRUE(gradient == want) << count << " by " << ranks;
        }
      }
    }
  }
}

// Steps one after another, on other weights and other batches.
TEST(EventRnnMicroBatchesTest, TrainsAsTheWholeBatchDoes) {
  const NetworkSpec spec = Specs()[0];
  std::vector<EncodedSequence> examples = Examples(spec);
  Model model(spec, 2), whole(spec, 2);
  PartTrainer parts(model, {.micro_batches = 4});
  for (int step = 1; step <= 5; ++step) {
    std::rotate(examples.begin(), examples.begin() + 3, examples.end());
    examples.pop_back();
    const AdamSpec adam = {
        .learning_rate = 0.01, .params = {.clip_norm = 1}, .step = step};
    LossSums sums;
    double norm = 0, whole_norm = 0;
    parts.Compute(examples);
    ASSERT_TRUE(parts.trainer->Reduce().ok());
    ASSERT_TRUE(parts.trainer->ApplyGradients(adam, &norm).ok());
    ASSERT_TRUE(
        whole.trainer
            ->TrainStep(Pack(examples), kDropout, adam, &sums, &whole_norm)
            .ok());
    EXPECT_NEAR(norm / whole_norm, 1, 1e-4);
  }
  const std::vector<float> a = model.Weights(), b = whole.Weights();
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-4) << i;
}

}  // namespace
}  // namespace continuo
