// SPDX-License-Identifier: Apache-2.0

// Gradients of micro-batches, and the sums of one rank.

#include <vector>

#include "kernels/layers/elementwise.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {

// A place for each node that waits for its other half. A trainer of one
// micro-batch has its sum in `gradient`.
void EventRnnTrainer::State::AllocateSums(Arena* arena) {
  const MicroBatchRange range = share.range();
  tree = SumTree(range.count);
  if (range.size() <= 1) return;
  sums = arena->Allocate<float>("gradient sums",
                                {MaxDepth(range), rnn->flat_size()});
}

// A node of `tree`, once all gradients are in it.
TensorView EventRnnTrainer::State::OwnNode(int place) const {
  return share.range().size() <= 1 ? gradient : Row(sums, place);
}

// Adds `gradient`, that of micro-batch `k`, to the sums. A right half is added
// from where it is; only one that has to wait is copied.
absl::Status EventRnnTrainer::State::PushGradient(int k) {
  const int place = tree.depth();
  const int merged = tree.Push({k, k + 1});
  if (share.range().size() <= 1) return absl::OkStatus();
  if (merged == 0) {
    return Copy(stream(), {.from = gradient, .to = Row(sums, place)});
  }
  TensorView right = gradient;
  for (int left = place - 1; left >= place - merged; --left) {
    const TensorView sum = Row(sums, left);
    CONTINUO_RETURN_IF_ERROR(Sum(stream(), {.a = sum, .b = right, .c = sum}));
    right = sum;
  }
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::ComputePart(const BatchPart& part,
                                          const DropoutSpec& dropout,
                                          std::vector<LossSums>* sums) {
  State& state = *state_;
  const MicroBatchRange range = state.share.range();
  CONTINUO_CHECK(!state.inference_only &&
                 static_cast<int>(part.micro_batches.size()) == range.size());
  const int64_t labels =
      part.num_events *
      static_cast<int64_t>(state.rnn->spec().head_sizes.size());
  state.tree.Clear();
  sums->assign(range.size(), {});
  for (int i = 0; i < range.size(); ++i) {
    const PackedBatch& batch = part.micro_batches[i];
    if (batch.num_rows() == 0) {
      CONTINUO_RETURN_IF_ERROR(Zero(state.stream(), {.x = state.gradient}));
    } else {
      CONTINUO_RETURN_IF_ERROR(state.Gradient(batch, dropout, labels));
      state.AddLoss(batch, &(*sums)[i]);
    }
    CONTINUO_RETURN_IF_ERROR(state.PushGradient(range.begin + i));
  }
  return absl::OkStatus();
}

}  // namespace continuo
