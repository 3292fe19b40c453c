// SPDX-License-Identifier: Apache-2.0

#include "models/network/sum_tree.h"

#include <algorithm>
#include <bit>

#include "runtime/base/log.h"

namespace continuo {

// A left half is always whole.
bool AreHalves(const SumNode& left, const SumNode& right, int leaves) {
  const int size = left.end - left.begin;
  return left.end == right.begin &&
         std::has_single_bit(static_cast<unsigned>(size)) &&
         left.begin % (2 * size) == 0 &&
         right.end == std::min(left.end + size, leaves);
}

int SumTree::Push(SumNode node) {
  CONTINUO_CHECK(node.end <= leaves_ &&
                 (nodes_.empty() || nodes_.back().end == node.begin));
  int merged = 0;
  while (!nodes_.empty() && AreHalves(nodes_.back(), node, leaves_)) {
    node.begin = nodes_.back().begin;
    nodes_.pop_back();
    ++merged;
  }
  nodes_.push_back(node);
  return merged;
}

std::vector<SumNode> NodesOfRange(const MicroBatchRange& range) {
  SumTree tree(range.count);
  for (int k = range.begin; k < range.end; ++k) tree.Push({k, k + 1});
  return tree.nodes();
}

int MaxDepth(const MicroBatchRange& range) {
  SumTree tree(range.count);
  int depth = 0;
  for (int k = range.begin; k < range.end; ++k) {
    tree.Push({k, k + 1});
    depth = std::max(depth, tree.depth());
  }
  return depth;
}

double TreeSum(absl::Span<const double> leaves) {
  const int count = static_cast<int>(leaves.size());
  SumTree tree(count);
  std::vector<double> places;
  for (int k = 0; k < count; ++k) {
    places.push_back(leaves[k]);
    for (int merged = tree.Push({k, k + 1}); merged > 0; --merged) {
      const double right = places.back();
      places.pop_back();
      places.back() += right;
    }
  }
  CONTINUO_CHECK(places.size() == 1);
  return places[0];
}

}  // namespace continuo
