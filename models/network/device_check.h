// SPDX-License-Identifier: Apache-2.0

// The self check (kernels/self_check/self_check.h) at a network's sizes, for
// commands that are about to rely on a device.

#ifndef CONTINUO_MODELS_NETWORK_DEVICE_CHECK_H_
#define CONTINUO_MODELS_NETWORK_DEVICE_CHECK_H_

#include "absl/status/status.h"
#include "models/network/network.h"
#include "runtime/device/device.h"

namespace continuo {

// Compares the operations of the stream's device with the CPU and logs that
// they agree, or returns what differs. On the CPU it does nothing.
absl::Status CheckDevice(const Stream& stream, const NetworkSpec& spec);

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_DEVICE_CHECK_H_
