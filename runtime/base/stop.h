// SPDX-License-Identifier: Apache-2.0

// Stopping a job: Ctrl-C, a signal of whoever started it, or a test.

#ifndef CONTINUO_RUNTIME_BASE_STOP_H_
#define CONTINUO_RUNTIME_BASE_STOP_H_

#include <atomic>
#include <string>

#include "absl/strings/string_view.h"

namespace continuo {

// Whether the job should stop; polled after every unit of work.
using StopFlag = std::atomic<bool>;

// The flag that SIGINT, SIGTERM, SIGUSR1 (which mpirun and srun pass on to all
// processes, where they answer SIGTERM by ending these) and SIGHUP (a terminal
// that was closed; not if it is ignored, as under nohup) set. The first signal
// is acknowledged at once on standard error with the line of SetStopMessage, a
// second one ends the process at once (temporary files are removed).
StopFlag& StopOnSignals();

// The message of the first signal, after "INFO: ": what is still finished, and
// what a second signal loses, as in "stopping after this step; Ctrl-C again
// ends at once, and steps after 1200 are lost". May be called again as a job
// progresses, some times a minute, from any thread.
void SetStopMessage(absl::string_view message);

// Makes SIGINT, SIGTERM, SIGHUP and SIGXCPU remove the temporary files of the
// process before they end it. For commands that do not look at a flag.
void RemoveTemporariesOnSignals();

// Ends the process as `signal` does by default, temporary files removed. May
// be called in a signal handler.
[[noreturn]] void EndBySignal(int signal);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_STOP_H_
