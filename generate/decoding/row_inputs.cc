// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/row_inputs.h"

#include <algorithm>

#include "runtime/base/ceil_div.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Rows a task encodes; an event costs about a microsecond.
constexpr int64_t kEncodedRowsPerTask = 32;

void AppendRows(const SparseRows& from, SparseRows* to) {
  const int32_t offset = to->row_begin.back();
  to->index.insert(to->index.end(), from.index.begin(), from.index.end());
  to->value.insert(to->value.end(), from.value.begin(), from.value.end());
  for (int r = 1; r <= from.rows(); ++r) {
    to->row_begin.push_back(offset + from.row_begin[r]);
  }
}

}  // namespace

absl::Status RowInputs::Encode(const EventEncoder& encoder, ThreadPool* pool) {
  const int64_t count = static_cast<int64_t>(sources_.size());
  const int64_t tasks = CeilDiv(count, kEncodedRowsPerTask);
  if (static_cast<int64_t>(parts_.size()) < tasks) parts_.resize(tasks);
  statuses_.assign(tasks, absl::OkStatus());
  pool->Run(tasks, [&](int64_t task) {
    SparseRows& part = parts_[task];
    part.Clear();
    part.width = encoder.input_size();
    const int64_t end = std::min(count, (task + 1) * kEncodedRowsPerTask);
    for (int64_t i = task * kEncodedRowsPerTask; i < end; ++i) {
      const Source& source = sources_[i];
      if (source.encoded != nullptr) {
        part.AppendRow(*source.encoded, source.row);
        continue;
      }
      const int last = static_cast<int>(source.events.size()) - 1;
      statuses_[task] =
          encoder.EncodeInputs(source.events, last, last + 1, &part);
      if (!statuses_[task].ok()) return;
    }
  });
  rows_.Clear();
  rows_.width = encoder.input_size();
  for (int64_t task = 0; task < tasks; ++task) {
    CONTINUO_RETURN_IF_ERROR(statuses_[task]);
    AppendRows(parts_[task], &rows_);
  }
  return absl::OkStatus();
}

}  // namespace continuo
