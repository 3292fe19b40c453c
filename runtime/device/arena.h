// SPDX-License-Identifier: Apache-2.0

// Arena: device or pinned memory, planned and allocated before the first step.
//
// The owner asks for its tensors twice, in the same order: while planning it
// gets views without data and the sizes are added up; Commit allocates once;
// then the same requests return the memory.

#ifndef CONTINUO_RUNTIME_DEVICE_ARENA_H_
#define CONTINUO_RUNTIME_DEVICE_ARENA_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/device/cuda_support.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// One line of a printed memory plan.
struct MemoryPlanLine {
  std::string what;
  int64_t bytes = 0;
};

// Adds to the line of that name, or a new one: no plan names a thing twice.
void AddToPlan(absl::string_view what, int64_t bytes,
               std::vector<MemoryPlanLine>* plan);

// Deleter of an arena's memory.
struct FreeMemory {
  Device device;
  MemoryKind kind = MemoryKind::kDevice;
  int64_t bytes = 0;
  void operator()(char* memory) const;
};

class Arena {
 public:
  // Memory of the device, or host memory that it copies from and to.
  explicit Arena(const Device& device, MemoryKind kind = MemoryKind::kDevice)
      : device_(device), kind_(kind) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A tensor for `what`; requests of one name in a row share a plan line. Its
  // memory starts at a multiple of 256 bytes and holds zeros after Commit.
  template <typename T>
  TensorView Allocate(absl::string_view what, Shape shape) {
    T* data = static_cast<T*>(AllocateBytes(
        what, shape.num_elements() * static_cast<int64_t>(sizeof(T))));
    return TensorView(data, shape);
  }

  // The same for a type that is not known before the program runs.
  TensorView Allocate(absl::string_view what, DType dtype, Shape shape) {
    TensorView view;
    view.raw = AllocateBytes(what, shape.num_elements() * DTypeSize(dtype));
    view.dtype = dtype;
    view.shape = shape;
    return view;
  }

  // Ends planning. ResourceExhausted names the bytes that could not be
  // allocated.
  absl::Status Commit();

  // Memory from a mark on is handed out again after Rewind to it, for scratch
  // whose uses do not overlap in time.
  int64_t Mark() const { return used_; }
  void Rewind(int64_t mark) { used_ = mark; }

  // What was asked for; `size` is the most in use at one time.
  const std::vector<MemoryPlanLine>& plan() const { return plan_; }
  int64_t size() const { return size_; }

 private:
  void* AllocateBytes(absl::string_view what, int64_t bytes);

  Device device_;
  MemoryKind kind_;
  std::unique_ptr<char, FreeMemory> memory_;
  std::vector<MemoryPlanLine> plan_;
  int64_t used_ = 0;
  int64_t size_ = 0;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_ARENA_H_
