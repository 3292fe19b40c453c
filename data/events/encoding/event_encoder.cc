// SPDX-License-Identifier: Apache-2.0

#include "data/events/encoding/event_encoder.h"

#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {

absl::Status EncodeSequence(const EventEncoder& encoder,
                            absl::Span<const Event> events,
                            EncodedSequence* out) {
  CONTINUO_CHECK(events.size() >= 2);
  const int rows = static_cast<int>(events.size()) - 1;
  const int heads = encoder.num_heads();
  out->inputs.Clear();
  CONTINUO_RETURN_IF_ERROR(encoder.EncodeInputs(events, 0, rows, &out->inputs));
  out->labels.resize(static_cast<size_t>(rows) * heads);
  for (int row = 0; row < rows; ++row) {
    CONTINUO_RETURN_IF_ERROR(encoder.EncodeLabel(
        events, row + 1,
        absl::MakeSpan(out->labels).subspan(int64_t{row} * heads, heads)));
  }
  return absl::OkStatus();
}

}  // namespace continuo
