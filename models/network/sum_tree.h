// SPDX-License-Identifier: Apache-2.0

// The binary tree by which the sums of micro-batches are added: one order, and
// so the same bits, whoever computes which micro-batch.

#ifndef CONTINUO_MODELS_NETWORK_SUM_TREE_H_
#define CONTINUO_MODELS_NETWORK_SUM_TREE_H_

#include <vector>

#include "absl/types/span.h"
#include "data/records/micro_batches.h"

namespace continuo {

// The leaves [begin, end) of a tree, summed. A node of level l is what there is
// of the leaves from i * 2^l to (i + 1) * 2^l: its left half plus its right
// half, or its left half alone where there are no more leaves.
struct SumNode {
  int begin = 0;
  int end = 0;
  bool operator==(const SumNode&) const = default;
};

// Whether `left` and `right` (which begins where `left` ends) are the halves of
// a node of a tree of `leaves`.
bool AreHalves(const SumNode& left, const SumNode& right, int leaves);

// Adds nodes that come in order, each to its other half as soon as that is
// there: what is left are the largest nodes that cover the leaves so far.
class SumTree {
 public:
  explicit SumTree(int leaves = 1) : leaves_(leaves) {}

  // Appends a node, which is in place depth(). Returns how often two places
  // become one: the last node is added to the one before it, which takes its
  // place, that to the one before, and so on.
  int Push(SumNode node);

  const std::vector<SumNode>& nodes() const { return nodes_; }
  int depth() const { return static_cast<int>(nodes_.size()); }
  void Clear() { nodes_.clear(); }

 private:
  int leaves_;
  std::vector<SumNode> nodes_;
};

// The nodes that the leaves of `range` add up to.
std::vector<SumNode> NodesOfRange(const MicroBatchRange& range);

// The most nodes there are while the leaves of `range` come one by one.
int MaxDepth(const MicroBatchRange& range);

// The sum of `leaves`, by the tree.
double TreeSum(absl::Span<const double> leaves);

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_SUM_TREE_H_
