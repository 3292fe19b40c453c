// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr int64_t kAlignment = 256;

}  // namespace

void FreeMemory::operator()(char* memory) const {
  if (device.type == DeviceType::kCuda) {
    CudaFree(device, kind, memory);
  } else {
    munmap(memory, static_cast<size_t>(bytes));
  }
}

void AddToPlan(absl::string_view what, int64_t bytes,
               std::vector<MemoryPlanLine>* plan) {
  for (MemoryPlanLine& line : *plan) {
    if (line.what == what) {
      line.bytes += bytes;
      return;
    }
  }
  plan->push_back({.what = std::string(what), .bytes = bytes});
}

void* Arena::AllocateBytes(absl::string_view what, int64_t bytes) {
  const int64_t begin = used_;
  used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (memory_ == nullptr) {
    size_ = std::max(size_, used_);
    AddToPlan(what, bytes, &plan_);
    return nullptr;
  }
  CONTINUO_CHECK(used_ <= size_);
  return memory_.get() + begin;
}

absl::Status Arena::Commit() {
  CONTINUO_CHECK(memory_ == nullptr);
  const int64_t bytes = std::max(size_, kAlignment);
  used_ = 0;
  if (device_.type == DeviceType::kCuda) {
    absl::StatusOr<void*> memory = CudaAllocate(device_, kind_, bytes);
    if (!memory.ok()) {
      return Annotate(memory.status(),
                      absl::StrCat("cannot allocate ", bytes, " bytes on ",
                                   DeviceName(device_)));
    }
    memory_ = std::unique_ptr<char, FreeMemory>(
        static_cast<char*>(*memory), FreeMemory{device_, kind_, bytes});
    return absl::OkStatus();
  }
  // Anonymous pages are zero and cost nothing until they are touched.
  void* memory =
      mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot allocate ", bytes, " bytes: ", std::strerror(errno)));
  }
  // Advice only: with small pages everything works, more slowly.
  madvise(memory, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  memory_ = std::unique_ptr<char, FreeMemory>(
      static_cast<char*>(memory), FreeMemory{device_, kind_, bytes});
  return absl::OkStatus();
}

}  // namespace continuo
