// Asking a job to stop: Ctrl-C, SIGTERM, or a test.

#ifndef CONTINUO_RUNTIME_STOP_H_
#define CONTINUO_RUNTIME_STOP_H_

#include <atomic>

namespace continuo {

// Whether the job shall stop; it looks after every unit of work.
using StopFlag = std::atomic<bool>;

// The flag that SIGINT and SIGTERM set. A second signal ends the process at
// once, because the first one restores the default action.
StopFlag& StopOnSignals();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_STOP_H_
