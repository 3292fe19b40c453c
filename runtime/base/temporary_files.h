// SPDX-License-Identifier: Apache-2.0

// The temporary files of this process, removed when it is killed by a signal.

#ifndef CONTINUO_RUNTIME_BASE_TEMPORARY_FILES_H_
#define CONTINUO_RUNTIME_BASE_TEMPORARY_FILES_H_

#include <string>

namespace continuo {

// A path that is removed if a signal, exhausted memory or a broken invariant
// ends the process while this object lives. Its destructor removes nothing.
class TemporaryName {
 public:
  explicit TemporaryName(std::string path);
  ~TemporaryName();
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;

  const std::string& path() const;

 private:
  struct Entry;
  friend void RemoveTemporaryFiles();
  static Entry* Claim();
  Entry* entry_;
};

// Removes the files of all living TemporaryNames. For the moment before the
// process ends; may be called in a signal handler.
void RemoveTemporaryFiles();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_TEMPORARY_FILES_H_
