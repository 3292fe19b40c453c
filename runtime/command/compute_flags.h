// The flags by which a command is told where and how to compute.

#ifndef CONTINUO_RUNTIME_COMMAND_COMPUTE_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_COMPUTE_FLAGS_H_

#include "absl/status/statusor.h"
#include "runtime/base/threads.h"
#include "runtime/device/device.h"

namespace continuo {

// Opens the stream that --device, --precision, --rnn_form and --rnn_backend ask
// for, and logs where that is. An error names the flag; nothing else than what
// was asked for is ever taken.
absl::StatusOr<OwnedStream> OpenStreamOfFlags(ThreadPool* pool);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_COMPUTE_FLAGS_H_
