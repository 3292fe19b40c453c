// Device and Stream: where an operation runs.

#ifndef CONTINUO_RUNTIME_DEVICE_H_
#define CONTINUO_RUNTIME_DEVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/threads.h"

namespace continuo {

enum class DeviceType { kCpu, kCuda };

// A small value that names a device.
struct Device {
  DeviceType type = DeviceType::kCpu;
  int index = 0;
};

inline bool operator==(const Device& a, const Device& b) {
  return a.type == b.type && a.index == b.index;
}

// Parses --device: "auto", "cpu", "cuda" or "cuda:N". A build or a machine
// without the named device gives Unavailable, never another device.
absl::StatusOr<Device> ParseDevice(absl::string_view text);
std::string DeviceName(const Device& device);

// What every operation takes: an ordered queue of work on one device. On the
// CPU work runs at once, on the threads of `pool`.
struct Stream {
  Device device;
  ThreadPool* pool = nullptr;  // not owned; required for CPU streams
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_H_
