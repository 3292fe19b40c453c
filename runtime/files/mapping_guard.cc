// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/mapping_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>

#include "runtime/base/log.h"

namespace continuo {

// A place in the list that the signal handler reads. Places are used again,
// never given back, so that the handler needs no lock.
struct MappingGuard::Range {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};  // 0 = free
  std::atomic<bool> faulted{false};
  Range* next = nullptr;
};

struct MappingGuard::Ranges {
  static inline std::mutex mutex;  // of those who add and remove
  static inline std::atomic<Range*> first{nullptr};
  static inline uintptr_t page_size = 0;
  static inline struct sigaction previous = {};

  static void Install() {
    page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action = {};
    action.sa_sigaction = OnFault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, &previous);
  }

  static Range* At(uintptr_t address) {
    for (Range* range = first.load(); range != nullptr; range = range->next) {
      if (address >= range->begin.load() && address < range->end.load()) {
        return range;
      }
    }
    return nullptr;
  }

  // Calls what is safe in a signal handler only.
  static void OnFault(int signal, siginfo_t* info, void*) {
    const int saved_errno = errno;
    const uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
    Range* range = info->si_code > 0 ? At(address) : nullptr;
    if (range != nullptr) {
      const uintptr_t page = address / page_size * page_size;
      // The whole rest: if one page is gone, those after it often are, too.
      if (mmap(reinterpret_cast<void*>(page), range->end.load() - page,
               PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) != MAP_FAILED) {
        range->faulted.store(true);
        errno = saved_errno;
        return;
      }
    }
    // Not in a guarded mapping: the fault repeats without this handler.
    sigaction(SIGBUS, &previous, nullptr);
    if (info->si_code <= 0) raise(signal);
    errno = saved_errno;
  }
};

MappingGuard::MappingGuard(const void* data, size_t size) {
  CONTINUO_CHECK(size > 0);
  static std::once_flag installed;
  std::call_once(installed, Ranges::Install);
  const std::lock_guard<std::mutex> lock(Ranges::mutex);
  Range* range = Ranges::first.load();
  while (range != nullptr && range->end.load() != 0) range = range->next;
  if (range == nullptr) {
    range = new Range;
    range->next = Ranges::first.load();
    Ranges::first.store(range);
  }
  range->faulted.store(false);
  range->begin.store(reinterpret_cast<uintptr_t>(data));
  range->end.store(reinterpret_cast<uintptr_t>(data) + size);
  range_ = range;
}

MappingGuard::~MappingGuard() {
  const std::lock_guard<std::mutex> lock(Ranges::mutex);
  range_->end.store(0);
}

bool MappingGuard::faulted() const { return range_->faulted.load(); }

}  // namespace continuo
