// SPDX-License-Identifier: Apache-2.0

// Counters and histograms of a dataset run, named and printed as Magenta does
// (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_DATASET_STATISTICS_H_
#define CONTINUO_DATA_EVENTS_DATASET_STATISTICS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace continuo {

// Counts of values by bucket [bound i, bound i + 1), the first bucket open
// below, the last one above.
struct Histogram {
  std::vector<int64_t> bounds;  // ascending, distinct
  std::vector<int64_t> counts;  // [bounds + 1]

  explicit Histogram(std::vector<int64_t> bucket_bounds);
  void Add(int64_t value);
};

// Merging adds, so the result does not depend on threads.
class Statistics {
 public:
  // Adds to a counter; adding 0 makes it appear.
  void Count(absl::string_view name, int64_t amount);
  // Adds values to a histogram, which appears even without any. `bounds` in
  // any order; those of the first call hold.
  void Distribute(absl::string_view name, absl::Span<const int64_t> bounds,
                  absl::Span<const int64_t> values);
  void Merge(const Statistics& other);

  // 0 if there is no such counter.
  int64_t count(absl::string_view name) const;

  // Sorted by name: "name: n", or "name:" and an indented "[low,high): n" for
  // each bucket that is not empty.
  std::vector<std::string> Lines() const;

 private:
  std::map<std::string, int64_t, std::less<>> counters_;
  std::map<std::string, Histogram, std::less<>> histograms_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_STATISTICS_H_
