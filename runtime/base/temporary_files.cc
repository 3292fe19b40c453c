// SPDX-License-Identifier: Apache-2.0

// A list of entries that only grows, so that a signal handler can walk it at
// any moment. An entry's path changes only while its owner has claimed it.

#include "runtime/base/temporary_files.h"

#include <unistd.h>

#include <atomic>
#include <utility>

namespace continuo {
namespace {

enum State { kFree, kClaimed, kInUse, kRemoved };

}  // namespace

struct TemporaryName::Entry {
  std::atomic<int> state{kClaimed};
  std::string path;
  Entry* next = nullptr;

  static std::atomic<Entry*> first;
};

std::atomic<TemporaryName::Entry*> TemporaryName::Entry::first{nullptr};
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<void*>::is_always_lock_free);

TemporaryName::Entry* TemporaryName::Claim() {
  for (Entry* entry = Entry::first.load(); entry != nullptr;
       entry = entry->next) {
    int expected = kFree;
    if (entry->state.compare_exchange_strong(expected, kClaimed)) return entry;
  }
  // Never freed: a handler may be at it. As many as were in use at a time.
  Entry* entry = new Entry;
  entry->next = Entry::first.load();
  while (!Entry::first.compare_exchange_weak(entry->next, entry)) {
  }
  return entry;
}

TemporaryName::TemporaryName(std::string path) : entry_(Claim()) {
  entry_->path = std::move(path);
  entry_->state.store(kInUse);
}

TemporaryName::~TemporaryName() {
  // Fails if a handler has taken the entry: the process is about to end.
  int expected = kInUse;
  entry_->state.compare_exchange_strong(expected, kFree);
}

const std::string& TemporaryName::path() const { return entry_->path; }

void RemoveTemporaryFiles() {
  for (TemporaryName::Entry* entry = TemporaryName::Entry::first.load();
       entry != nullptr; entry = entry->next) {
    int expected = kInUse;
    if (entry->state.compare_exchange_strong(expected, kRemoved)) {
      (void)unlink(entry->path.c_str());
    }
  }
}

}  // namespace continuo
