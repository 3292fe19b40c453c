// SPDX-License-Identifier: Apache-2.0

// Memory of a decoder, and moving rows of it.

#include "models/network/event_rnn_decoder_state.h"

#include <algorithm>
#include <numeric>

#include "kernels/layers/copy_rows.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {

void EventRnnDecoder::State::Allocate(Arena* to) {
  layers.PlanWeights(stream(), /*backward=*/false, to);
  states.clear();
  layers.body->PlanSteps(stream(), max_rows, to, &states);
  CONTINUO_CHECK(states.size() == layers.body->num_states());
  logits = to->Allocate<float>("logits", {max_rows, rnn->spec().num_classes()});
  if (!on_gpu()) return;
  device_window_row = to->Allocate<int32_t>("rows", {max_rows});
  device_counts = to->Allocate<int32_t>("rows", {2 * (max_rows + 1)});
  device_source = to->Allocate<int32_t>("rows", {max_rows});
}

// Arrays that no step changes.
absl::Status EventRnnDecoder::State::UploadConstants() {
  for (int64_t count = 0; count <= max_rows; ++count) {
    counts.push_back(0);
    counts.push_back(static_cast<int32_t>(count));
  }
  if (!on_gpu()) {
    device_counts = View(counts);
    return absl::OkStatus();
  }
  window_row.resize(max_rows);
  std::iota(window_row.begin(), window_row.end(), 0);
  CONTINUO_RETURN_IF_ERROR(CopyAndWait(stream(), View(counts), device_counts));
  return CopyAndWait(stream(), View(window_row), device_window_row);
}

void EventRnnDecoder::State::SetRows(int64_t count) {
  rows = count;
  const int64_t steps = count > 0 ? 1 : 0;
  const int32_t* pair = device_counts.data<int32_t>() + 2 * count;
  const int32_t* host_pair = counts.data() + 2 * count;
  ragged = {.batch_sizes = TensorView(pair + 1, {steps}),
            .step_begin = TensorView(pair, {steps + 1}),
            .rows = count,
            .host_batch_sizes = host_pair + 1,
            .host_step_begin = host_pair};
}

TensorView EventRnnDecoder::State::WindowRow() const {
  if (!on_gpu()) return View(window_row);
  return TensorView(device_window_row.data<int32_t>(), {rows});
}

// Rows whose window no new row uses give it to those whose window is already
// taken.
absl::Status EventRnnDecoder::State::ReorderWindows(
    absl::Span<const int32_t> source) {
  std::vector<int32_t> placed(source.size(), -1);
  std::vector<bool> taken(max_rows, false);
  for (size_t r = 0; r < source.size(); ++r) {
    const int32_t window = window_row[source[r]];
    if (taken[window]) continue;
    taken[window] = true;
    placed[r] = window;
  }
  std::vector<int32_t> from;
  std::vector<int32_t> to;
  int32_t free = 0;
  for (size_t r = 0; r < source.size(); ++r) {
    if (placed[r] >= 0) continue;
    while (taken[free]) ++free;
    taken[free] = true;
    placed[r] = free;
    from.push_back(window_row[source[r]]);
    to.push_back(free);
  }
  window_row = std::move(placed);
  if (from.empty()) return absl::OkStatus();
  for (const StateTensor& state : states) {
    if (state.slots == 0) continue;
    CONTINUO_RETURN_IF_ERROR(CopyRows(
        stream(), {.x = state.now, .from = View(from), .to = View(to)}));
  }
  return absl::OkStatus();
}

// New row r of a state is old row source[r].
absl::Status EventRnnDecoder::State::GatherState(const TensorView& source,
                                                 StateTensor* state) {
  CONTINUO_RETURN_IF_ERROR(
      GatherRows(stream(), {.x = Rows(state->now, rows),
                            .rows = source,
                            .out = Rows(state->next, source.shape[0])}));
  state->Swap();
  return absl::OkStatus();
}

// On a GPU: every row's state, windows and all, from row source[r].
absl::Status EventRnnDecoder::State::GatherStates(const TensorView& source) {
  const int64_t count = source.shape[0];
  for (StateTensor& state : states) {
    CONTINUO_RETURN_IF_ERROR(GatherState(source, &state));
  }
  SetRows(count);
  return absl::OkStatus();
}

// A row of an array, on the host.
absl::StatusOr<std::vector<float>> EventRnnDecoder::State::Read(
    const TensorView& view, int64_t row) const {
  std::vector<float> values(view.shape[1]);
  CONTINUO_RETURN_IF_ERROR(CopyAndWait(stream(), Row(view, row), View(values)));
  return values;
}

}  // namespace continuo
