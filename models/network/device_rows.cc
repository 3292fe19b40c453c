// SPDX-License-Identifier: Apache-2.0

#include "models/network/device_rows.h"

#include <algorithm>

#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// Arrays for `rows` rows with `entries` entries, one after the other.
SparseView Allocate(int64_t rows, int64_t entries, Arena* arena) {
  constexpr char kWhat[] = "inputs";
  SparseView view;
  view.row_begin = arena->Allocate<int32_t>(kWhat, {rows + 1});
  view.index = arena->Allocate<int32_t>(kWhat, {entries});
  view.value = arena->Allocate<float>(kWhat, {entries});
  return view;
}

}  // namespace

absl::StatusOr<SparseView> DeviceRows::Load(const SparseRows& rows) {
  const SparseView host = {.row_begin = View(rows.row_begin),
                           .index = View(rows.index),
                           .value = View(rows.value)};
  if (stream_.device.type == DeviceType::kCpu) return host;
  const int64_t entries = host.index.num_elements();
  const int64_t size = std::max<int64_t>(host.rows(), entries);
  if (size > capacity_ || device_ == nullptr) {
    capacity_ = std::max<int64_t>(64, 2 * size);
    pinned_ = std::make_unique<Arena>(stream_.device, MemoryKind::kPinned);
    device_ = std::make_unique<Arena>(stream_.device);
    for (Arena* arena : {pinned_.get(), device_.get()}) {
      Allocate(capacity_, capacity_, arena);
      CONTINUO_RETURN_IF_ERROR(Annotate(arena->Commit(), "inputs"));
    }
  }
  pinned_->Rewind(0);
  device_->Rewind(0);
  const SparseView staged = Allocate(host.rows(), entries, pinned_.get());
  const SparseView there = Allocate(host.rows(), entries, device_.get());
  std::copy(rows.row_begin.begin(), rows.row_begin.end(),
            staged.row_begin.data<int32_t>());
  std::copy(rows.index.begin(), rows.index.end(), staged.index.data<int32_t>());
  std::copy(rows.value.begin(), rows.value.end(), staged.value.data<float>());
  CONTINUO_RETURN_IF_ERROR(CopyBytes(stream_, staged.row_begin.raw,
                                     there.row_begin.raw, device_->Mark()));
  return there;
}

}  // namespace continuo
