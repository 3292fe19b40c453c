#include "runtime/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/log.h"

namespace continuo {
namespace {

constexpr int64_t kAlignment = 64;

}  // namespace

void UnmapPages::operator()(char* memory) const {
  munmap(memory, static_cast<size_t>(bytes));
}

void* Arena::AllocateBytes(absl::string_view what, int64_t bytes) {
  const int64_t begin = used_;
  used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (memory_ == nullptr) {
    size_ = std::max(size_, used_);
    if (plan_.empty() || plan_.back().what != what) {
      plan_.push_back({.what = std::string(what)});
    }
    plan_.back().bytes += bytes;
    return nullptr;
  }
  CONTINUO_CHECK(used_ <= size_);
  return memory_.get() + begin;
}

absl::Status Arena::Commit() {
  CONTINUO_CHECK(memory_ == nullptr && device_.type == DeviceType::kCpu);
  const int64_t bytes = std::max(size_, kAlignment);
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
  memory_ = std::unique_ptr<char, UnmapPages>(static_cast<char*>(memory),
                                              UnmapPages{bytes});
  used_ = 0;
  return absl::OkStatus();
}

}  // namespace continuo
