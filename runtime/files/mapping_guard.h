// SPDX-License-Identifier: Apache-2.0

// Faults in mapped files, turned into errors.
//
// Where a mapped file has been cut short, or its disk cannot be read, touching
// its pages raises SIGBUS, which would end the program and lose its work. Here
// the pages become zeros instead, and whoever reads the mapping learns of it.

#ifndef CONTINUO_RUNTIME_FILES_MAPPING_GUARD_H_
#define CONTINUO_RUNTIME_FILES_MAPPING_GUARD_H_

#include <cstddef>

namespace continuo {

// Guards the mapping of `size` > 0 bytes at `data`, both given by mmap, while
// it lives. Destroy it before the mapping is unmapped.
class MappingGuard {
 public:
  MappingGuard(const void* data, size_t size);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  // Whether some page could not be read: what was read is not to be trusted.
  bool faulted() const;

 private:
  struct Range;
  struct Ranges;
  Range* range_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_MAPPING_GUARD_H_
