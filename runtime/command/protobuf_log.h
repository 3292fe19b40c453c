// SPDX-License-Identifier: Apache-2.0

// The log of the protocol buffer library.

#ifndef CONTINUO_RUNTIME_COMMAND_PROTOBUF_LOG_H_
#define CONTINUO_RUNTIME_COMMAND_PROTOBUF_LOG_H_

namespace continuo {

// Keeps the library from logging a line per damaged field to standard error:
// a message that cannot be parsed is reported once, by the caller.
void SilenceProtobuf();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_PROTOBUF_LOG_H_
