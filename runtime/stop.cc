#include "runtime/stop.h"

#include <signal.h>

namespace continuo {
namespace {

StopFlag stop_requested{false};
static_assert(StopFlag::is_always_lock_free);  // safe in a signal handler

void RequestStop(int) { stop_requested.store(true); }

}  // namespace

StopFlag& StopOnSignals() {
  struct sigaction action = {};
  action.sa_handler = RequestStop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop_requested;
}

}  // namespace continuo
