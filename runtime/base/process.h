// SPDX-License-Identifier: Apache-2.0

// Process setup that every command performs first.

#ifndef CONTINUO_RUNTIME_BASE_PROCESS_H_
#define CONTINUO_RUNTIME_BASE_PROCESS_H_

namespace continuo {

// Once, first in main (ParseFlags does it):
// - Standard input, output and error that are closed are opened on /dev/null,
//   so that no file of this program gets their numbers and log lines with it.
//   Reading or writing data through them still fails.
// - SIGPIPE and SIGXFSZ are ignored: what can no longer be written is an error
//   of that write ("broken pipe", "file too large"). A log line is not missed.
// - Signals that end the process remove its temporary files first.
// - A library that aborts ends the program with status 1, temporary files
//   removed.
// - Memory that cannot be allocated ends the program with a message and status
// 1,
//   temporary files removed.
void PrepareProcess();

// Ends the program as a filter whose reader has closed the pipe: silently, by
// SIGPIPE (status 141 in a shell), temporary files removed.
[[noreturn]] void EndByBrokenPipe();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_PROCESS_H_
