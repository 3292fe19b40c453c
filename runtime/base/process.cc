// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <new>

#include "runtime/base/stop.h"
#include "runtime/base/temporary_files.h"

namespace continuo {
namespace {

// Opened the other way round, so that using them as data is an error: a score
// that goes nowhere must not look like success.
void OpenIfClosed(int descriptor, int flags) {
  if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) return;
  int opened = open("/dev/null", flags);
  // Without a /dev, a folder serves: it can be neither read nor written.
  if (opened < 0) opened = open("/", O_RDONLY);
  // The lowest free number is taken, and those below are open.
  if (opened >= 0 && opened != descriptor) {
    (void)dup2(opened, descriptor);
    close(opened);
  }
}

// Called by operator new, which has no memory: nothing here takes any.
void OutOfMemory() {
  char line[256];
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  getrlimit(RLIMIT_AS, &limit);
  int length = std::snprintf(line, sizeof(line),
                             "ERROR: out of memory: %ld MB were in use at most",
                             usage.ru_maxrss / 1000);
  if (limit.rlim_cur != RLIM_INFINITY) {
    length += std::snprintf(
        line + length, sizeof(line) - static_cast<size_t>(length),
        ", and the address space is limited to %llu MB (ulimit -v)",
        static_cast<unsigned long long>(limit.rlim_cur) / 1000000);
  }
  line[length++] = '\n';
  (void)!write(STDERR_FILENO, line, static_cast<size_t>(length));
  RemoveTemporaryFiles();
  _exit(1);
}

// abort() of a library: an exception that must not be thrown here, a futex that
// fails as none should. It has said why.
void Aborted(int) {
  constexpr char kLine[] =
      "ERROR: a library has ended the program, for the reason above\n";
  (void)!write(STDERR_FILENO, kLine, sizeof(kLine) - 1);
  RemoveTemporaryFiles();
  _exit(1);
}

}  // namespace

void PrepareProcess() {
  OpenIfClosed(STDIN_FILENO, O_WRONLY);
  OpenIfClosed(STDOUT_FILENO, O_RDONLY);
  OpenIfClosed(STDERR_FILENO, O_RDONLY);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGABRT, Aborted);
  RemoveTemporariesOnSignals();
  std::set_new_handler(OutOfMemory);
}

void EndByBrokenPipe() { EndBySignal(SIGPIPE); }

}  // namespace continuo
