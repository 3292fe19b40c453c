// SPDX-License-Identifier: Apache-2.0

#include "models/network/event_rnn_decoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/layers/elementwise.h"
#include "models/network/event_rnn_decoder_state.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// A window before event `step`, its slots in order; those before the first
// event are zeros.
std::vector<float> OldestFirst(const std::vector<float>& window, int64_t slots,
                               int64_t step) {
  const int64_t n = static_cast<int64_t>(window.size()) / slots;
  std::vector<float> ordered(window.size(), 0.0f);
  for (int64_t j = 0; j < slots; ++j) {
    const int64_t event = step - slots + j;
    if (event < 0) continue;
    const auto from = window.begin() + event % slots * n;
    std::copy(from, from + n, ordered.begin() + j * n);
  }
  return ordered;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventRnnDecoder>> EventRnnDecoder::Create(
    const EventRnn* rnn, int max_rows) {
  CONTINUO_CHECK(max_rows >= 1);
  auto state = std::make_unique<State>();
  state->rnn = rnn;
  state->max_rows = max_rows;
  state->layers = MakeNetworkLayers(rnn->spec(), rnn->stream());
  state->arena = std::make_unique<Arena>(rnn->stream().device);
  state->Allocate(state->arena.get());
  CONTINUO_RETURN_IF_ERROR(
      Annotate(state->arena->Commit(),
               absl::StrCat("the state of ", max_rows, " sequences")));
  state->Allocate(state->arena.get());
  state->inputs = std::make_unique<DeviceRows>(rnn->stream());
  CONTINUO_RETURN_IF_ERROR(state->UploadConstants());
  return std::unique_ptr<EventRnnDecoder>(
      new EventRnnDecoder(std::move(state)));
}

EventRnnDecoder::EventRnnDecoder(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
EventRnnDecoder::~EventRnnDecoder() = default;

int EventRnnDecoder::num_rows() const { return static_cast<int>(state_->rows); }

absl::Status EventRnnDecoder::Reset(int num_rows) {
  State& state = *state_;
  CONTINUO_CHECK(num_rows >= 0 && num_rows <= state.max_rows);
  const Stream& stream = state.stream();
  if (state.packed_version != state.rnn->version()) {
    CONTINUO_RETURN_IF_ERROR(
        state.layers.Pack(stream, state.rnn->device_weights()));
    state.packed_version = state.rnn->version();
  }
  state.SetRows(num_rows);
  state.step = 0;
  if (!state.on_gpu()) {
    state.window_row.resize(num_rows);
    std::iota(state.window_row.begin(), state.window_row.end(), 0);
  }
  for (const StateTensor& tensor : state.states) {
    // A window needs no clearing: slots not yet filled are never read.
    if (tensor.slots > 0) continue;
    CONTINUO_RETURN_IF_ERROR(Zero(stream, {.x = Rows(tensor.now, num_rows)}));
  }
  return absl::OkStatus();
}

absl::Status EventRnnDecoder::Step(const SparseRows& inputs,
                                   absl::Span<float> logits) {
  State& state = *state_;
  const NetworkSpec& spec = state.rnn->spec();
  const int64_t classes = spec.num_classes();
  CONTINUO_CHECK(inputs.rows() == state.rows);
  CONTINUO_CHECK(static_cast<int64_t>(logits.size()) == state.rows * classes);
  if (inputs.width != spec.input_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the encoder gives ", inputs.width, " inputs but the model has ",
        spec.input_size,
        "; use the configuration that the model was trained with"));
  }
  if (state.rows == 0) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const SparseView there, state.inputs->Load(inputs));
  CONTINUO_RETURN_IF_ERROR(StepOnDevice(there));
  return CopyAndWait(
      state.stream(), device_logits(),
      TensorView(logits.data(), {state.rows, spec.num_classes()}));
}

absl::Status EventRnnDecoder::StepOnDevice(const SparseView& inputs) {
  State& state = *state_;
  CONTINUO_CHECK(inputs.rows() == state.rows);
  if (state.rows == 0) return absl::OkStatus();
  const DecodeStep step = {.stream = state.stream(),
                           .weights = state.rnn->device_weights(),
                           .ragged = state.ragged,
                           .rows = state.rows,
                           .step = state.step,
                           .window_row = state.WindowRow()};
  LayerInput output;
  CONTINUO_RETURN_IF_ERROR(state.layers.body->Step(
      step, {.sparse = &inputs}, absl::MakeSpan(state.states), &output.dense));
  ++state.step;
  return state.layers.logits->Forward(step.stream, step.weights, output,
                                      device_logits());
}

TensorView EventRnnDecoder::device_logits() const {
  return Rows(state_->logits, state_->rows);
}

absl::Status EventRnnDecoder::Reorder(absl::Span<const int32_t> source) {
  State& state = *state_;
  const int64_t count = static_cast<int64_t>(source.size());
  CONTINUO_CHECK(count <= state.max_rows);
  bool identity = true;
  for (int64_t r = 0; r < count; ++r) {
    CONTINUO_CHECK(source[r] >= 0 && source[r] < state.rows);
    identity = identity && source[r] == r;
  }
  // The first rows stay where they are.
  if (identity) {
    if (!state.on_gpu()) state.window_row.resize(count);
    state.SetRows(count);
    return absl::OkStatus();
  }
  const TensorView rows(source.data(), {count});
  if (state.on_gpu()) {
    const TensorView there(state.device_source.data<int32_t>(), {count});
    CONTINUO_RETURN_IF_ERROR(CopyAndWait(state.stream(), rows, there));
    return state.GatherStates(there);
  }
  for (StateTensor& tensor : state.states) {
    if (tensor.slots > 0) continue;
    CONTINUO_RETURN_IF_ERROR(state.GatherState(rows, &tensor));
  }
  CONTINUO_RETURN_IF_ERROR(state.ReorderWindows(source));
  state.SetRows(count);
  return absl::OkStatus();
}

absl::Status EventRnnDecoder::ReorderOnDevice(const TensorView& source) {
  CONTINUO_CHECK(source.shape[0] <= state_->max_rows);
  if (state_->on_gpu()) return state_->GatherStates(source);
  return Reorder(absl::MakeConstSpan(source.data<int32_t>(),
                                     static_cast<size_t>(source.shape[0])));
}

absl::StatusOr<std::vector<std::vector<float>>> EventRnnDecoder::GetState(
    int row) const {
  const State& state = *state_;
  if (row < 0 || row >= state.rows) {
    return absl::InvalidArgumentError(
        absl::StrCat("row ", row, " of ", state.rows, " live ones"));
  }
  std::vector<std::vector<float>> tensors;
  for (const StateTensor& tensor : state.states) {
    if (tensor.derived) continue;
    CONTINUO_ASSIGN_OR_RETURN(
        std::vector<float> values,
        state.Read(tensor.now, tensor.slots > 0 ? state.window_row[row] : row));
    if (tensor.slots > 0) {
      values = OldestFirst(values, tensor.slots, state.step);
    }
    tensors.push_back(std::move(values));
  }
  return tensors;
}

}  // namespace continuo
