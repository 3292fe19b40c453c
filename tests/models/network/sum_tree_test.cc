// SPDX-License-Identifier: Apache-2.0

#include "models/network/sum_tree.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

// Node `i` of level `level`, by the definition.
double Node(const std::vector<double>& leaves, int level, int i) {
  if (level == 0) return leaves[i];
  const double left = Node(leaves, level - 1, 2 * i);
  const int right = (2 * i + 1) << (level - 1);
  return right < static_cast<int>(leaves.size())
             ? left + Node(leaves, level - 1, 2 * i + 1)
             : left;
}

// Values whose sum depends on the order.
std::vector<double> Values(int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(i % 3 == 1 ? 1e16 : i % 3 == 2 ? -1e16 : 1.0 + i);
  }
  return values;
}

TEST(SumTreeTest, TheOrderIsThatOfTheDefinition) {
  for (int count = 1; count <= 70; ++count) {
    const std::vector<double> values = Values(count);
    EXPECT_EQ(TreeSum(values), Node(values, 7, 0)) << count;
  }
  EXPECT_EQ(TreeSum({0.1, 0.2, 0.3}), (0.1 + 0.2) + 0.3);
  EXPECT_EQ(TreeSum({0.1, 0.2, 0.3, 0.4}), (0.1 + 0.2) + (0.3 + 0.4));
}

// What ranks send adds up to the same, however many they are.
TEST(SumTreeTest, NodesOfAllRangesAreTheWholeTree) {
  for (int count = 1; count <= 33; ++count) {
    for (int size = 1; size <= count + 2; ++size) {
      SumTree tree(count);
      for (int rank = 0; rank < size; ++rank) {
        const MicroBatchRange range = RangeOfRank(count, rank, size);
        int leaves = 0;
        for (const SumNode& node : NodesOfRange(range)) {
          leaves += node.end - node.begin;
          tree.Push(node);
        }
        EXPECT_EQ(leaves, range.size());
      }
      EXPECT_EQ(tree.nodes(), std::vector<SumNode>({{0, count}}))
          << count << " " << size;
    }
  }
}

TEST(SumTreeTest, ARangeOfAPowerOfTwoRanksIsOneNode) {
  EXPECT_EQ(NodesOfRange({8, 4, 8}), std::vector<SumNode>({{4, 8}}));
  EXPECT_EQ(NodesOfRange({8, 2, 5}), std::vector<SumNode>({{2, 4}, {4, 5}}));
  EXPECT_TRUE(NodesOfRange({8, 3, 3}).empty());
}

TEST(SumTreeTest, PushTellsWhatIsAdded) {
  SumTree tree(4);
  EXPECT_EQ(tree.Push({0, 1}), 0);
  EXPECT_EQ(tree.Push({1, 2}), 1);
  EXPECT_EQ(tree.Push({2, 3}), 0);
  EXPECT_EQ(tree.depth(), 2);
  EXPECT_EQ(tree.Push({3, 4}), 2);
  EXPECT_EQ(MaxDepth({4, 0, 4}), 2);
  EXPECT_EQ(MaxDepth({4, 0, 2}), 1);
  EXPECT_EQ(MaxDepth({4, 1, 2}), 1);
}

}  // namespace
}  // namespace continuo
