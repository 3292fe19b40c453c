// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/statistics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace continuo {

Histogram::Histogram(std::vector<int64_t> bucket_bounds)
    : bounds(std::move(bucket_bounds)) {
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  counts.assign(bounds.size() + 1, 0);
}

void Histogram::Add(int64_t value) {
  const auto above = std::upper_bound(bounds.begin(), bounds.end(), value);
  ++counts[static_cast<size_t>(above - bounds.begin())];
}

void Statistics::Count(absl::string_view name, int64_t amount) {
  auto found = counters_.find(name);
  if (found == counters_.end()) {
    found = counters_.emplace(std::string(name), 0).first;
  }
  found->second += amount;
}

void Statistics::Distribute(absl::string_view name,
                            absl::Span<const int64_t> bounds,
                            absl::Span<const int64_t> values) {
  auto found = histograms_.find(name);
  if (found == histograms_.end()) {
    found = histograms_
                .emplace(std::string(name),
                         Histogram({bounds.begin(), bounds.end()}))
                .first;
  }
  for (int64_t value : values) found->second.Add(value);
}

void Statistics::Merge(const Statistics& other) {
  for (const auto& [name, amount] : other.counters_) Count(name, amount);
  for (const auto& [name, histogram] : other.histograms_) {
    const auto [own, inserted] = histograms_.try_emplace(name, histogram);
    if (inserted) continue;
    CONTINUO_CHECK(own->second.bounds == histogram.bounds);
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      own->second.counts[i] += histogram.counts[i];
    }
  }
}

int64_t Statistics::count(absl::string_view name) const {
  const auto found = counters_.find(name);
  return found == counters_.end() ? 0 : found->second;
}

std::vector<std::string> Statistics::Lines() const {
  std::map<std::string, std::string> lines;
  for (const auto& [name, amount] : counters_) {
    lines[name] = absl::StrCat(name, ": ", amount);
  }
  for (const auto& [name, histogram] : histograms_) {
    std::string& line = lines[name];
    line = absl::StrCat(name, ":");
    const std::vector<int64_t>& bounds = histogram.bounds;
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      if (histogram.counts[i] == 0) continue;
      absl::StrAppend(&line, "\n  [");
      if (i == 0) {
        absl::StrAppend(&line, "-inf");
      } else {
        absl::StrAppend(&line, bounds[i - 1]);
      }
      if (i == bounds.size()) {
        absl::StrAppend(&line, ",inf): ", histogram.counts[i]);
      } else {
        absl::StrAppend(&line, ",", bounds[i], "): ", histogram.counts[i]);
      }
    }
  }
  std::vector<std::string> sorted;
  sorted.reserve(lines.size());
  for (auto& [name, line] : lines) sorted.push_back(std::move(line));
  return sorted;
}

}  // namespace continuo
