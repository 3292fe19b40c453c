// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/stop.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <deque>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "runtime/base/temporary_files.h"

namespace continuo {
namespace {

StopFlag stop_requested{false};
std::atomic<const std::string*> stop_line{nullptr};
static_assert(StopFlag::is_always_lock_free);  // safe in a signal handler
static_assert(std::atomic<const std::string*>::is_always_lock_free);

void RequestStop(int signal) {
  const int saved_errno = errno;
  if (stop_requested.exchange(true)) EndBySignal(signal);
  const std::string* line = stop_line.load();
  // A line that cannot be written is no reason to lose the work.
  if (line != nullptr) (void)!write(STDERR_FILENO, line->data(), line->size());
  errno = saved_errno;
}

// Calls of the system that a handler interrupts are taken up again.
void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

bool IsIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 &&
         action.sa_handler == SIG_IGN;
}

}  // namespace

StopFlag& StopOnSignals() {
  if (stop_line.load() == nullptr) {
    SetStopMessage("stopping; Ctrl-C again ends at once");
  }
  Handle(SIGINT, RequestStop);
  Handle(SIGTERM, RequestStop);
  Handle(SIGUSR1, RequestStop);
  if (!IsIgnored(SIGHUP)) Handle(SIGHUP, RequestStop);
  return stop_requested;
}

void SetStopMessage(absl::string_view message) {
  // A handler may be writing any of the earlier lines: all are kept.
  static std::mutex mutex;
  static auto* const lines = new std::deque<std::string>;
  const std::lock_guard<std::mutex> lock(mutex);
  // The terminal has shown "^C" at the beginning of the line.
  lines->push_back(absl::StrCat(isatty(STDERR_FILENO) == 1 ? "\n" : "",
                                "INFO: ", message, "\n"));
  stop_line.store(&lines->back());
}

void RemoveTemporariesOnSignals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    if (!IsIgnored(signal)) Handle(signal, EndBySignal);
  }
}

void EndBySignal(int signal) {
  RemoveTemporaryFiles();
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(signal);
  _exit(128 + signal);  // a signal whose default is not to end the process
}

}  // namespace continuo
