// SPDX-License-Identifier: Apache-2.0

// Device and Stream: where an operation runs.

#ifndef CONTINUO_RUNTIME_DEVICE_DEVICE_H_
#define CONTINUO_RUNTIME_DEVICE_DEVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/threads.h"

namespace continuo {

// Whether this build has the CUDA forms of the operations.
inline constexpr bool kHasCuda = CONTINUO_HAS_CUDA;

enum class DeviceType { kCpu, kCuda };

// A small value that names a device.
struct Device {
  DeviceType type = DeviceType::kCpu;
  int index = 0;
};

inline bool operator==(const Device& a, const Device& b) {
  return a.type == b.type && a.index == b.index;
}

// Parses --device: "auto" (the first CUDA device if there is one, else the
// CPU), "cpu", "cuda" or "cuda:N". A build or a machine without the named
// device gives Unavailable, never another device.
absl::StatusOr<Device> ParseDevice(absl::string_view text);
std::string DeviceName(const Device& device);

// CUDA devices that can be used; Unavailable says why there is none.
absl::StatusOr<int> CountCudaDevices();

// The precision of products. Weights, sums and optimizer slots are float32 in
// all of them; tf32 and bf16 round the operands of products (to 10 and 7 bits
// of fraction), bf16 also stores the LSTM's gates in bfloat16.
enum class Precision { kFp32, kTf32, kBf16 };

// Which form the recurrent operations take on a GPU. Automatic: the persistent
// one where it fits (kernels/lstm/lstm.h).
enum class RecurrentForm { kAuto, kStepwise, kPersistent };

// Whose recurrent layers run on a GPU: this project's or cuDNN's.
enum class RnnBackend { kAuto, kFused, kCudnn };

// Parse --precision, --rnn_form and --rnn_backend.
absl::StatusOr<Precision> ParsePrecision(absl::string_view text);
absl::StatusOr<RecurrentForm> ParseRecurrentForm(absl::string_view text);
absl::StatusOr<RnnBackend> ParseRnnBackend(absl::string_view text);

struct ComputeOptions {
  Precision precision = Precision::kFp32;
  RecurrentForm form = RecurrentForm::kAuto;
  RnnBackend backend = RnnBackend::kAuto;
};

class CudaStream;  // runtime/device/cuda_stream.h

// An ordered queue of work on one device, which every operation takes. On the
// CPU work runs at once, on the threads of `pool`; on a CUDA device operations
// return before it is done (Synchronize in runtime/device/device_copy.h waits).
struct Stream {
  Device device = {};
  ThreadPool* pool = nullptr;  // not owned; host-side work, and all on the CPU
  ComputeOptions options = {};
  CudaStream* cuda = nullptr;  // not owned; required for CUDA devices
};

// The CPU stream with the threads of `stream`, for host arrays.
inline Stream HostStream(const Stream& stream) {
  return {.device = {}, .pool = stream.pool};
}

// "cpu", or "cuda:0 (NVIDIA H100, bf16)".
std::string StreamName(const Stream& stream);

// A stream and what it needs. Destroyed last of all that uses the stream.
class OwnedStream {
 public:
  // InvalidArgument for options that the device does not have: nothing falls
  // back silently.
  static absl::StatusOr<OwnedStream> Open(const Device& device,
                                          const ComputeOptions& options,
                                          ThreadPool* pool);
  const Stream& stream() const { return stream_; }

 private:
  Stream stream_;
  std::shared_ptr<CudaStream> cuda_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_DEVICE_H_
