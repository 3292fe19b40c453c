// SPDX-License-Identifier: Apache-2.0

// A function in a process of its own: for what ends a process, or changes it.

#ifndef CONTINUO_TESTS_TESTING_CHILD_H_
#define CONTINUO_TESTS_TESTING_CHILD_H_

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/functional/function_ref.h"
#include "runtime/base/log.h"

namespace continuo::testing {

struct ChildResult {
  int code = 0;     // exit status, or 128 + signal
  std::string err;  // what it wrote to standard error
};

// Makes the system refuse every further thread of this process.
inline void RefuseThreads() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, size_t{1} << 46);
  CONTINUO_CHECK(pthread_setattr_default_np(&attributes) == 0);
}

// Runs `body`, whose result is the exit status. For tests without threads.
inline ChildResult RunChild(absl::FunctionRef<int()> body) {
  std::FILE* err = std::tmpfile();
  CONTINUO_CHECK(err != nullptr);
  std::fflush(nullptr);
  const pid_t pid = fork();
  CONTINUO_CHECK(pid >= 0);
  if (pid == 0) {
    dup2(fileno(err), STDERR_FILENO);
    alarm(60);  // a test that hangs fails
    _exit(body());
  }
  int status = 0;
  CONTINUO_CHECK(waitpid(pid, &status, 0) == pid);
  ChildResult result;
  result.code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::rewind(err);
  for (int c = std::fgetc(err); c != EOF; c = std::fgetc(err)) {
    result.err.push_back(static_cast<char>(c));
  }
  std::fclose(err);
  return result;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_CHILD_H_
