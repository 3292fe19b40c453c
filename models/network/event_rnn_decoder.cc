#include "models/network/event_rnn_decoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/copy_rows.h"
#include "kernels/layers/elementwise.h"
#include "models/network/event_rnn_decoder_state.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

namespace continuo {

absl::StatusOr<std::unique_ptr<EventRnnDecoder>> EventRnnDecoder::Create(
    const EventRnn* rnn, int max_rows) {
  CONTINUO_CHECK(max_rows >= 1);
  auto state = std::make_unique<State>();
  state->rnn = rnn;
  state->max_rows = max_rows;
  state->plan = MakeNetworkPlan(rnn->spec(), rnn->parameters());
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
    CONTINUO_RETURN_IF_ERROR(PackNetwork(
        stream, state.plan, state.rnn->device_weights(), state.packs));
    state.packed_version = state.rnn->version();
  }
  state.SetRows(num_rows);
  state.step = 0;
  if (!state.on_gpu()) {
    state.window_row.resize(num_rows);
    std::iota(state.window_row.begin(), state.window_row.end(), 0);
  }
  for (const DecoderLayer& layer : state.layers) {
    // The window needs no clearing: slots not yet filled are never read.
    for (const TensorView& view :
         {layer.c.now, layer.h.now, layer.attention.now}) {
      if (!view) continue;
      CONTINUO_RETURN_IF_ERROR(Zero(stream, {.x = Rows(view, num_rows)}));
    }
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
  TensorView below;
  if (state.plan.stack.has_value()) {
    CONTINUO_RETURN_IF_ERROR(state.BeforeStack(inputs, &below));
  }
  for (const LayerPlan& layer : state.plan.layers) {
    TensorView output;
    CONTINUO_RETURN_IF_ERROR(state.StepLayer(
        layer, below, layer.sparse ? &inputs : nullptr, &output));
    below = output;
  }
  if (state.plan.stack.has_value()) {
    CONTINUO_RETURN_IF_ERROR(state.AfterStack(&below));
  }
  ++state.step;
  return Gemm(state.stream(),
              {.a = below,
               .b = state.packs.logits.forward,
               .bias = ParameterView(state.rnn->device_weights(),
                                     *state.plan.logits.bias),
               .c = device_logits()});
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
  for (DecoderLayer& layer : state.layers) {
    for (Buffered* buffered : {&layer.c, &layer.h, &layer.attention}) {
      if (!buffered->now) continue;
      CONTINUO_RETURN_IF_ERROR(
          GatherRows(state.stream(), {.x = Rows(buffered->now, state.rows),
                                      .rows = rows,
                                      .out = Rows(buffered->next, count)}));
      buffered->Swap();
    }
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
  for (const DecoderLayer& layer : state.layers) {
    for (const TensorView& view :
         {layer.c.now, layer.h.now, layer.attention.now}) {
      if (!view) continue;
      CONTINUO_ASSIGN_OR_RETURN(std::vector<float> values,
                                state.Read(view, row));
      tensors.push_back(std::move(values));
    }
    if (!layer.window_states.now) continue;
    CONTINUO_ASSIGN_OR_RETURN(
        const std::vector<float> slots,
        state.Read(layer.window_states.now, state.window_row[row]));
    const int64_t size = state.rnn->spec().attn_length;
    const int64_t n = static_cast<int64_t>(slots.size()) / size;
    std::vector<float> window(slots.size(), 0.0f);
    for (int64_t j = 0; j < size; ++j) {
      const int64_t event = state.step - size + j;
      if (event < 0) continue;
      const auto from = slots.begin() + event % size * n;
      std::copy(from, from + n, window.begin() + j * n);
    }
    tensors.push_back(std::move(window));
  }
  return tensors;
}

}  // namespace continuo
