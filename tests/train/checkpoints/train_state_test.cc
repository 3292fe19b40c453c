// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/train_state.h"

#include <memory>

#include "data/events/encoder_table.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "models/network/network.h"
#include "runtime/base/threads.h"

namespace continuo {
namespace {

class TrainStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ModelConfig model = *FindConfig(Family::kMelody, "basic_rnn");
    model.hparams.rnn_layer_sizes = {3};
    const auto encoder = MakeEventEncoder(model.encoding);
    rnn_ = *EventRnn::Create(MakeNetworkSpec(*encoder, model.hparams),
                             Stream{.device = {}, .pool = &pool_});
    trainer_ = *EventRnnTrainer::Create(rnn_.get(), 1, 8);
  }

  TrainState RoundTrip(const TrainState& state) {
    tensors_ = *ExportState(*rnn_, *trainer_, state);
    const auto read = ImportState(tensors_, "a checkpoint", state.num_examples,
                                  4, rnn_.get(), trainer_.get());
    EXPECT_TRUE(read.ok()) << read.status();
    return *read;
  }

  ThreadPool pool_{1};
  std::unique_ptr<EventRnn> rnn_;
  std::unique_ptr<EventRnnTrainer> trainer_;
  TensorMap tensors_;
};

TEST_F(TrainStateTest, EverythingComesBack) {
  const TrainState state = {
      .global_step = 77,
      .num_examples = 11,
      .position = {.epoch = 3, .index = 5},
      .history = {.best_step = 60, .best_loss = 1.5f, .evals_since_best = 2},
      .eval_pending = true,
      .divergence = 3.25f};
  const TrainState read = RoundTrip(state);
  EXPECT_EQ(read.global_step, 77);
  EXPECT_EQ(read.position, state.position);
  EXPECT_EQ(read.history.best_step, 60);
  EXPECT_EQ(read.history.best_loss, 1.5f);
  EXPECT_EQ(read.history.evals_since_best, 2);
  EXPECT_TRUE(read.eval_pending);
  EXPECT_EQ(read.divergence, 3.25f);
}

TEST_F(TrainStateTest, WhatIsNotSoLeavesNoTensor) {
  const TrainState read = RoundTrip(
      {.global_step = 1, .num_examples = 11, .position = {}, .history = {}});
  EXPECT_FALSE(read.eval_pending);
  EXPECT_EQ(read.divergence, 0);
  EXPECT_EQ(tensors_.count("continuo/eval_pending"), 0);
  EXPECT_EQ(tensors_.count("continuo/divergence"), 0);
  EXPECT_EQ(tensors_.count("continuo/eval_best_step"), 0);
}

}  // namespace
}  // namespace continuo
