// SPDX-License-Identifier: Apache-2.0

// The gradient of a batch from those of all ranks.
//
// Each rank owns a slice of the flat gradient. It gets that slice of the nodes
// of all ranks, adds them by the tree, and gives the sum to all: on the wire
// this is what a ring all-reduce moves, and the bits are those of one process.

#include <algorithm>
#include <vector>

#include "kernels/layers/elementwise.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// Slices begin at multiples of 64 bytes.
constexpr int64_t kAlign = 16;

std::vector<int64_t> SliceBegins(int64_t flat, int ranks) {
  std::vector<int64_t> begins;
  const int64_t blocks = flat / kAlign;
  for (int rank = 0; rank < ranks; ++rank) {
    begins.push_back(blocks * rank / ranks * kAlign);
  }
  begins.push_back(flat);
  return begins;
}

absl::Span<float> SpanOf(const TensorView& view) {
  return {view.data<float>(), static_cast<size_t>(view.num_elements())};
}

}  // namespace

MicroBatchRange GradientShare::range() const {
  if (collective == nullptr) return {micro_batches, 0, micro_batches};
  return RangeOfRank(micro_batches, collective->rank(), collective->size());
}

// Room for the own slice of all ranks' nodes.
void EventRnnTrainer::State::AllocateReduction(Arena* arena) {
  nodes.clear();
  if (share.collective == nullptr || share.collective->size() == 1) return;
  if (share.reduction != Reduction::kExact) return;
  const int ranks = share.collective->size();
  slice_begin = SliceBegins(rnn->flat_size(), ranks);
  int64_t all = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    nodes.push_back(
        NodesOfRange(RangeOfRank(share.micro_batches, rank, ranks)));
    all += static_cast<int64_t>(nodes.back().size());
  }
  received = arena->Allocate<float>("gradient sums", {all, OwnSlice()});
}

int64_t EventRnnTrainer::State::OwnSlice() const {
  const int rank = share.collective->rank();
  return slice_begin[rank + 1] - slice_begin[rank];
}

// Brings the own slice of all nodes here, the k-th of each rank at once.
absl::Status EventRnnTrainer::State::ExchangeNodes() {
  const int ranks = share.collective->size();
  const int own_rank = share.collective->rank();
  size_t rounds = 0;
  for (const auto& of_rank : nodes) rounds = std::max(rounds, of_rank.size());
  for (size_t k = 0; k < rounds; ++k) {
    std::vector<absl::Span<const float>> send(ranks);
    std::vector<absl::Span<float>> receive(ranks);
    int64_t row = 0;  // of the first node of `rank`
    for (int rank = 0; rank < ranks; ++rank) {
      if (k < nodes[own_rank].size()) {
        send[rank] = SpanOf(Elements(OwnNode(static_cast<int>(k)),
                                     slice_begin[rank], slice_begin[rank + 1]));
      }
      if (k < nodes[rank].size()) {
        receive[rank] = SpanOf(Row(received, row + static_cast<int64_t>(k)));
      }
      row += static_cast<int64_t>(nodes[rank].size());
    }
    CONTINUO_RETURN_IF_ERROR(
        share.collective->Exchange(stream(), send, receive));
  }
  return absl::OkStatus();
}

// Adds what was received; the sum is in row 0.
absl::Status EventRnnTrainer::State::AddNodes() {
  SumTree all(share.micro_batches);
  std::vector<int64_t> rows;  // of the nodes of `all`
  int64_t row = 0;
  for (const std::vector<SumNode>& of_rank : nodes) {
    for (const SumNode& node : of_rank) {
      rows.push_back(row++);
      for (int merged = all.Push(node); merged > 0; --merged) {
        const TensorView right = Row(received, rows.back());
        rows.pop_back();
        const TensorView left = Row(received, rows.back());
        CONTINUO_RETURN_IF_ERROR(
            Sum(stream(), {.a = left, .b = right, .c = left}));
      }
    }
  }
  CONTINUO_CHECK(rows == std::vector<int64_t>({0}));
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::State::ReduceExactly() {
  CONTINUO_RETURN_IF_ERROR(ExchangeNodes());
  CONTINUO_RETURN_IF_ERROR(AddNodes());
  const int rank = share.collective->rank();
  CONTINUO_RETURN_IF_ERROR(Copy(
      stream(),
      {.from = Row(received, 0),
       .to = Elements(gradient, slice_begin[rank], slice_begin[rank + 1])}));
  return share.collective->AllGather(stream(), slice_begin, SpanOf(gradient));
}

// The own nodes, whatever they are, in turn; then the library's sum.
absl::Status EventRnnTrainer::State::ReduceByLibrary() {
  if (tree.depth() == 0) {
    CONTINUO_RETURN_IF_ERROR(Zero(stream(), {.x = gradient}));
  }
  for (int place = 0; place < tree.depth(); ++place) {
    if (share.range().size() == 1) break;  // it is in `gradient`
    const TensorView node = OwnNode(place);
    CONTINUO_RETURN_IF_ERROR(
        place == 0 ? Copy(stream(), {.from = node, .to = gradient})
                   : Sum(stream(), {.a = gradient, .b = node, .c = gradient}));
  }
  return share.collective->AllReduceSum(stream(), SpanOf(gradient));
}

absl::Status EventRnnTrainer::Reduce() {
  State& state = *state_;
  Collective* const collective = state.share.collective;
  if (collective != nullptr && collective->size() > 1) {
    CONTINUO_RETURN_IF_ERROR(state.share.reduction == Reduction::kExact
                                 ? state.ReduceExactly()
                                 : state.ReduceByLibrary());
    return collective->Wait(state.stream());
  }
  CONTINUO_CHECK(state.tree.nodes() ==
                 std::vector<SumNode>({{0, state.share.micro_batches}}));
  if (state.share.micro_batches == 1) return absl::OkStatus();
  return Copy(state.stream(), {.from = state.OwnNode(0), .to = state.gradient});
}

}  // namespace continuo
