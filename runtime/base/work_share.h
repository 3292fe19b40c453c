// SPDX-License-Identifier: Apache-2.0

// Work that several processes divide without talking to each other.

#ifndef CONTINUO_RUNTIME_BASE_WORK_SHARE_H_
#define CONTINUO_RUNTIME_BASE_WORK_SHARE_H_

#include <cstdint>

namespace continuo {

// The part of process `rank` of `size`: every `size`-th piece of the work, by
// an index on which all agree.
struct WorkShare {
  int rank = 0;
  int size = 1;

  bool Has(int64_t index) const { return index % size == rank; }
  bool is_all() const { return size == 1; }
  // How many of `count` pieces it has.
  int64_t Count(int64_t count) const {
    return count / size + (rank < count % size ? 1 : 0);
  }
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_WORK_SHARE_H_
