// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/duplicates.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace continuo {
namespace {

constexpr double kNear = 0.5;
// Pieces of which a share s of the phrases is common agree in a band with the
// chance s^4, in none of the 32 with (1 - s^4)^32: 0.12 at 0.5, 0.01 at 0.6.
constexpr size_t kBandSize = 4;
// Each piece is compared with this many of different groups in a band at most:
// a phrase that thousands share must not cost their square.
constexpr size_t kMostCompared = 16;

// Groups of numbers, each known by its least member.
class Groups {
 public:
  explicit Groups(size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), int64_t{0});
  }
  int64_t Find(int64_t i) {
    while (parent_[i] != i) {
      parent_[i] = parent_[parent_[i]];
      i = parent_[i];
    }
    return i;
  }
  void Join(int64_t a, int64_t b) {
    a = Find(a);
    b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<int64_t> parent_;
};

std::vector<int64_t> FindCopies(absl::Span<const Fingerprint> fingerprints) {
  std::vector<int64_t> copy_of(fingerprints.size(), -1);
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, int64_t> first;
  for (size_t i = 0; i < fingerprints.size(); ++i) {
    if (!fingerprints[i].has_notes()) continue;
    const auto& notes = fingerprints[i].notes;
    const auto [found, inserted] =
        first.try_emplace({notes[0], notes[1]}, static_cast<int64_t>(i));
    if (!inserted) copy_of[i] = found->second;
  }
  return copy_of;
}

// Joins those of `indices` (ascending), alike in one band, that are near.
void JoinNear(absl::Span<const Fingerprint> fingerprints,
              absl::Span<const std::pair<uint64_t, int64_t>> same_band,
              Groups* groups) {
  std::vector<int64_t> compared;
  for (const auto& [hash, i] : same_band) {
    bool joined = false;
    for (int64_t other : compared) {
      joined = groups->Find(other) == groups->Find(i);
      if (!joined &&
          Resemblance(fingerprints[other], fingerprints[i]) >= kNear) {
        groups->Join(other, i);
        joined = true;
      }
      if (joined) break;
    }
    if (!joined && compared.size() < kMostCompared) compared.push_back(i);
  }
}

}  // namespace

int64_t Duplicates::num_copies() const {
  return std::count_if(copy_of.begin(), copy_of.end(),
                       [](int64_t index) { return index >= 0; });
}

int64_t Duplicates::num_near() const {
  std::vector<int64_t> members(group.size());
  for (size_t i = 0; i < group.size(); ++i) {
    if (copy_of[i] < 0) ++members[group[i]];
  }
  int64_t near = 0;
  for (int64_t count : members) near += count > 1 ? count : 0;
  return near;
}

Duplicates FindDuplicates(absl::Span<const Fingerprint> fingerprints) {
  Duplicates duplicates;
  duplicates.copy_of = FindCopies(fingerprints);
  Groups groups(fingerprints.size());
  std::vector<std::pair<uint64_t, int64_t>> band;  // hash, index
  for (size_t begin = 0; begin < Fingerprint().sketch.size();
       begin += kBandSize) {
    band.clear();
    for (size_t i = 0; i < fingerprints.size(); ++i) {
      if (duplicates.copy_of[i] >= 0 || !fingerprints[i].has_sketch()) continue;
      uint64_t hash = 0;
      for (size_t k = begin; k < begin + kBandSize; ++k) {
        // Collisions cost a comparison, nothing else.
        hash = hash * 0x9e3779b97f4a7c15u + fingerprints[i].sketch[k];
      }
      band.emplace_back(hash, static_cast<int64_t>(i));
    }
    std::sort(band.begin(), band.end());
    for (size_t i = 0; i < band.size();) {
      size_t end = i + 1;
      while (end < band.size() && band[end].first == band[i].first) ++end;
      if (end > i + 1) {
        JoinNear(fingerprints, absl::MakeSpan(band).subspan(i, end - i),
                 &groups);
      }
      i = end;
    }
  }
  for (size_t i = 0; i < fingerprints.size(); ++i) {
    const int64_t copy_of = duplicates.copy_of[i];
    duplicates.group.push_back(
        groups.Find(copy_of >= 0 ? copy_of : static_cast<int64_t>(i)));
  }
  return duplicates;
}

}  // namespace continuo
