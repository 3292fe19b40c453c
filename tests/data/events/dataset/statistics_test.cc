// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/statistics.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

using Lines = std::vector<std::string>;

TEST(StatisticsTest, LinesAreSortedByName) {
  Statistics statistics;
  statistics.Count("b", 2);
  statistics.Count("c", 0);
  statistics.Count("a", 1);
  statistics.Count("b", 3);
  EXPECT_EQ(statistics.Lines(), (Lines{"a: 1", "b: 5", "c: 0"}));
  EXPECT_EQ(statistics.count("b"), 5);
  EXPECT_EQ(statistics.count("missing"), 0);
}

TEST(StatisticsTest, BucketsAreHalfOpenAndOpenAtTheEnds) {
  Statistics statistics;
  // Unsorted, with a repeated bound, as the extractors give them.
  statistics.Distribute("h", {10, 0, 3, 3}, {-1, 0, 2, 3, 9, 10, 10, 99});
  EXPECT_EQ(statistics.Lines(), Lines{"h:\n  [-inf,0): 1\n  [0,3): 2\n"
                                      "  [3,10): 2\n  [10,inf): 3"});
}

TEST(StatisticsTest, AHistogramWithoutValuesAppears) {
  Statistics statistics;
  statistics.Distribute("h", {0, 1}, {});
  EXPECT_EQ(statistics.Lines(), Lines{"h:"});
}

TEST(StatisticsTest, MergeAdds) {
  Statistics a;
  Statistics b;
  a.Count("n", 1);
  b.Count("n", 2);
  b.Count("only_b", 7);
  a.Distribute("h", {0}, {5});
  b.Distribute("h", {0}, {6, -6});
  b.Distribute("only_b_h", {0}, {1});
  a.Merge(b);
  EXPECT_EQ(a.Lines(), (Lines{"h:\n  [-inf,0): 1\n  [0,inf): 2", "n: 3",
                              "only_b: 7", "only_b_h:\n  [0,inf): 1"}));
}

}  // namespace
}  // namespace continuo
