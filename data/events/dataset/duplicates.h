// SPDX-License-Identifier: Apache-2.0

// Duplicates among the sequences of a data set, by their fingerprints.

#ifndef CONTINUO_DATA_EVENTS_DATASET_DUPLICATES_H_
#define CONTINUO_DATA_EVENTS_DATASET_DUPLICATES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "data/events/dataset/fingerprint.h"

namespace continuo {

// Of each sequence, by its index.
struct Duplicates {
  // The first sequence with the same notes, or -1 for that one itself and those
  // that have no other.
  std::vector<int64_t> copy_of;
  // The first sequence of its group: of those that have at least half of their
  // phrases in common, directly or through others. Copies are in the group of
  // what they are copies of; a sequence like no other is its own.
  std::vector<int64_t> group;

  int64_t num_copies() const;
  // Sequences in groups of several, copies aside.
  int64_t num_near() const;
};

// Compares all with all in time that grows with their number only: by tables of
// parts of the sketches, which miss one in a hundred of pairs that have 0.6 of
// their phrases in common, and fewer above. Depends on the fingerprints and
// their order alone.
Duplicates FindDuplicates(absl::Span<const Fingerprint> fingerprints);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_DUPLICATES_H_
