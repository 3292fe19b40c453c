// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/thread.h"

#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

void* Run(void* argument) {
  const std::unique_ptr<std::function<void()>> body(
      static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

}  // namespace

absl::StatusOr<Thread> Thread::Start(std::function<void()> body) {
  auto argument = std::make_unique<std::function<void()>>(std::move(body));
  pthread_t handle;
  const int error = pthread_create(&handle, nullptr, Run, argument.get());
  if (error != 0) {
    return absl::ResourceExhaustedError(std::strerror(error));
  }
  (void)argument.release();  // the thread's now
  return Thread(handle);
}

Thread::~Thread() { CONTINUO_CHECK(!joinable_); }

void Thread::Join() {
  CONTINUO_CHECK(std::exchange(joinable_, false));
  pthread_join(handle_, nullptr);
}

}  // namespace continuo
