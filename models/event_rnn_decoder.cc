#include "models/event_rnn_decoder.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/attention.h"
#include "kernels/attention_window.h"
#include "kernels/embedding.h"
#include "kernels/gemm.h"
#include "kernels/lstm.h"
#include "kernels/rows.h"
#include "models/device_rows.h"
#include "models/event_rnn_weights.h"
#include "runtime/log.h"
#include "runtime/status.h"
#include "runtime/transfer.h"

namespace continuo {
namespace {

// A state tensor and the buffer its successor is written to.
struct Buffered {
  TensorView now;   // [max_rows, n]
  TensorView next;  // [max_rows, n]
  void Swap() { std::swap(now, next); }
};

struct LayerState {
  TensorView cell_input;  // [max_rows, width] projected input
  TensorView gates;       // [max_rows, 4n] GateType
  TensorView output;      // [max_rows, n] residual connections
  Buffered c;
  Buffered h;
  // Attention.
  TensorView x;              // [max_rows, width]
  TensorView query;          // [max_rows, n]
  TensorView probabilities;  // [max_rows, A]
  TensorView out;            // [max_rows, n]
  TensorView projected;      // [max_rows, n]
  Buffered attention;
  // [max_rows, A * n]; `next` on a GPU only, where windows are moved whole.
  Buffered window_states;
  Buffered window_projected;
};

TensorView Rows(const TensorView& view, int64_t rows) {
  CONTINUO_CHECK(rows <= view.shape[0]);
  TensorView part = view;
  part.shape = {rows, view.shape[1]};
  return part;
}

// A window array [R, A * n] as the operations take it.
TensorView Slots(const TensorView& window, int64_t slots) {
  TensorView view = window;
  view.shape = {window.shape[0], slots, window.shape[1] / slots};
  return view;
}

template <typename T>
TensorView View(const std::vector<T>& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

}  // namespace

struct EventRnnDecoder::State {
  const EventRnn* rnn = nullptr;
  int64_t max_rows = 0;
  int64_t rows = 0;
  int64_t step = 0;  // events since Reset
  NetworkPlan plan;
  std::unique_ptr<Arena> arena;
  NetworkPacks packs;
  uint64_t packed_version = ~uint64_t{0};
  // One for each layer; after them, where attention is around the stack, one
  // for that, without c and h.
  std::vector<LayerState> layers;
  TensorView logits;  // [max_rows, classes]
  TensorView lstm_scratch;
  TensorView attention_scratch;
  // Where each row's attention window lies. Windows are long, so reordering on
  // the CPU moves only those that are needed twice; a GPU moves them all, row r
  // having its own in place r, and computes no places.
  std::vector<int32_t> window_row;  // [rows], or [max_rows] on a GPU
  TensorView device_window_row;     // [max_rows] int32, GPU only
  // 0, c for each count of rows c: the two arrays of the one-step schedule.
  std::vector<int32_t> counts;  // [2 (max_rows + 1)]
  TensorView device_counts;     // the same where the stream's device reads it
  TensorView device_source;     // [max_rows] int32, GPU only
  Schedule schedule;
  std::unique_ptr<DeviceRows> inputs;

  const Stream& stream() const { return rnn->stream(); }

  bool on_gpu() const { return stream().device.type == DeviceType::kCuda; }

  void Allocate(Arena* to);
  void AllocateWindow(LayerState* state, int64_t width, int64_t units,
                      Arena* to);
  absl::Status UploadConstants();
  void SetRows(int64_t count);
  TensorView WindowRow() const;
  absl::Status Project(const TensorView& below, const SparseView* sparse,
                       const DenseParameters& dense, int64_t width,
                       const TensorView& packed, const TensorView& out);
  absl::Status StepLayer(const LayerPlan& layer, const TensorView& below,
                         const SparseView* sparse, TensorView* output);
  absl::Status BeforeStack(const SparseView& sparse, TensorView* x);
  absl::Status AfterStack(TensorView* output);
  absl::Status ReorderWindows(absl::Span<const int32_t> source);
  absl::Status GatherStates(const TensorView& source);
  absl::StatusOr<std::vector<float>> Read(const TensorView& view,
                                          int64_t row) const;
};

// What attention needs besides the state of its recurrent layers.
void EventRnnDecoder::State::AllocateWindow(LayerState* state, int64_t width,
                                            int64_t units, Arena* to) {
  const int64_t slots = rnn->spec().attn_length;
  const auto allocate = [&](int64_t columns) {
    return to->Allocate<float>("state of the attention", {max_rows, columns});
  };
  const auto window = [&] {
    Buffered window;
    for (TensorView* view : {&window.now, on_gpu() ? &window.next : nullptr}) {
      if (view == nullptr) continue;
      *view =
          to->Allocate<float>("attention window", {max_rows, slots * units});
    }
    return window;
  };
  state->x = allocate(width);
  state->query = allocate(units);
  state->probabilities = allocate(slots);
  state->out = allocate(units);
  state->projected = allocate(units);
  state->attention = {.now = allocate(units), .next = allocate(units)};
  state->window_states = window();
  state->window_projected = window();
}

void EventRnnDecoder::State::Allocate(Arena* to) {
  packs = AllocatePacks(stream(), plan, /*backward=*/false, to);
  layers.clear();
  for (const LayerPlan& layer : plan.layers) {
    const std::string what = absl::StrCat("state of layer ", layer.index);
    const auto allocate = [&](int64_t columns) {
      return to->Allocate<float>(what, {max_rows, columns});
    };
    const auto buffered = [&](int64_t columns) {
      return Buffered{.now = allocate(columns), .next = allocate(columns)};
    };
    const int64_t n = layer.units;
    LayerState& state = layers.emplace_back();
    if (layer.projection.kernel != nullptr) {
      state.cell_input = allocate(layer.width);
    }
    state.gates = to->Allocate(what, GateType(stream()), {max_rows, 4 * n});
    if (layer.residual) state.output = allocate(n);
    state.c = buffered(n);
    state.h = buffered(n);
    if (!layer.attention) continue;
    AllocateWindow(&state, layer.width, n, to);
    const int64_t scratch =
        AttentionScratch(stream(), max_rows, n, layer.width);
    if (scratch > 0) {
      attention_scratch = to->Allocate<float>("attention", {scratch});
    }
  }
  if (plan.stack.has_value()) {
    AllocateWindow(&layers.emplace_back(), plan.stack->input, plan.stack->units,
                   to);
  }
  int64_t scratch = 0;
  for (const LayerPlan& layer : plan.layers) {
    scratch = std::max(scratch, LstmScratch(stream(), max_rows, layer.units));
  }
  if (scratch > 0) {
    lstm_scratch = to->Allocate<float>("recurrent products", {scratch});
  }
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
  schedule = {.alive = TensorView(pair + 1, {steps}),
              .step_begin = TensorView(pair, {steps + 1}),
              .rows = count,
              .host_alive = host_pair + 1,
              .host_step_begin = host_pair};
}

TensorView EventRnnDecoder::State::WindowRow() const {
  if (!on_gpu()) return View(window_row);
  return TensorView(device_window_row.data<int32_t>(), {rows});
}

absl::Status EventRnnDecoder::State::Project(const TensorView& below,
                                             const SparseView* sparse,
                                             const DenseParameters& dense,
                                             int64_t width,
                                             const TensorView& packed,
                                             const TensorView& out) {
  float* const weights = rnn->device_weights();
  const TensorView bias = ParameterView(weights, *dense.bias);
  if (sparse != nullptr) {
    return GatherSum(
        stream(), {.inputs = *sparse,
                   .weights = ParameterRows(weights, *dense.kernel, 0, width),
                   .bias = bias,
                   .out = out});
  }
  return Gemm(stream(), {.a = below, .b = packed, .bias = bias, .c = out});
}

absl::Status EventRnnDecoder::State::StepLayer(const LayerPlan& layer,
                                               const TensorView& below,
                                               const SparseView* sparse,
                                               TensorView* output) {
  LayerState& state = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
  TensorView input = below;
  if (layer.projection.kernel != nullptr) {
    input = Rows(state.cell_input, rows);
    CONTINUO_RETURN_IF_ERROR(Project(below, sparse, layer.projection,
                                     layer.input,
                                     layer_packs.projection.forward, input));
    sparse = nullptr;
  }
  const TensorView gates = Rows(state.gates, rows);
  if (layer.attention) {
    const TensorView x = Rows(state.x, rows);
    CONTINUO_RETURN_IF_ERROR(Project(input, sparse, layer.wrapper, layer.width,
                                     layer_packs.cell_input.forward, x));
    *output = Rows(state.out, rows);
    CONTINUO_RETURN_IF_ERROR(AttentionStep(
        stream(), {.weights = MakeAttentionWeights(layer, layer_packs,
                                                   rnn->device_weights()),
                   .window = rnn->spec().attn_length,
                   .step = step,
                   .c_prev = Rows(state.c.now, rows),
                   .h_prev = Rows(state.h.now, rows),
                   .attention_prev = Rows(state.attention.now, rows),
                   .x = x,
                   .gates = gates,
                   .c = Rows(state.c.next, rows),
                   .h = Rows(state.h.next, rows),
                   .query = Rows(state.query, rows),
                   .probabilities = Rows(state.probabilities, rows),
                   .attention = Rows(state.attention.next, rows),
                   .out = *output,
                   .projected = Rows(state.projected, rows),
                   .window_states =
                       Slots(state.window_states.now, rnn->spec().attn_length),
                   .window_projected = Slots(state.window_projected.now,
                                             rnn->spec().attn_length),
                   .window_row = WindowRow(),
                   .scratch = attention_scratch}));
    state.attention.Swap();
  } else {
    CONTINUO_RETURN_IF_ERROR(Project(input, sparse, layer.lstm, layer.width,
                                     layer_packs.cell_input.forward, gates));
    *output = Rows(state.h.next, rows);
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.schedule = schedule,
                               .recurrent = layer_packs.recurrent.forward,
                               .initial_c = Rows(state.c.now, rows),
                               .initial_h = Rows(state.h.now, rows),
                               .gates = gates,
                               .c = Rows(state.c.next, rows),
                               .h = *output,
                               .scratch = lstm_scratch}));
  }
  state.c.Swap();
  state.h.Swap();
  if (!layer.residual) return absl::OkStatus();
  const TensorView sum = Rows(state.output, rows);
  CONTINUO_RETURN_IF_ERROR(Sum(stream(), {.a = *output, .b = input, .c = sum}));
  *output = sum;
  return absl::OkStatus();
}

// The input of layer 0: x' = [x, a] K + b.
absl::Status EventRnnDecoder::State::BeforeStack(const SparseView& sparse,
                                                 TensorView* x) {
  const LayerState& state = layers.back();
  *x = Rows(state.x, rows);
  CONTINUO_RETURN_IF_ERROR(Project(TensorView(), &sparse, plan.stack->wrapper,
                                   plan.stack->input, TensorView(), *x));
  return Gemm(stream(), {.a = Rows(state.attention.now, rows),
                         .b = packs.stack.attention_to_x,
                         .c = *x,
                         .accumulate = true});
}

// From the new states of all layers to the output of the attention.
absl::Status EventRnnDecoder::State::AfterStack(TensorView* output) {
  LayerState& state = layers.back();
  float* const weights = rnn->device_weights();
  const TensorView query = Rows(state.query, rows);
  for (size_t i = 0; i < packs.stack.query.size(); ++i) {
    const LayerState& layer = layers[i / 2];
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(),
             {.a = Rows(i % 2 == 0 ? layer.c.now : layer.h.now, rows),
              .b = packs.stack.query[i],
              .bias = i == 0 ? ParameterView(weights, *plan.stack->query.bias)
                             : TensorView(),
              .c = query,
              .accumulate = i > 0}));
  }
  const int64_t slots = rnn->spec().attn_length;
  const WindowArrays window = {
      .step = step,
      .states = Slots(state.window_states.now, slots),
      .projected = Slots(state.window_projected.now, slots),
      .row = WindowRow()};
  const TensorView attention = Rows(state.attention.next, rows);
  CONTINUO_RETURN_IF_ERROR(AttendWindow(
      stream(), {.window = window,
                 .score = ParameterView(weights, *plan.stack->attn_v),
                 .query = query,
                 .probabilities = Rows(state.probabilities, rows),
                 .attention = attention}));
  const TensorView out = Rows(state.out, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = *output,
                      .b = packs.stack.h_to_out,
                      .bias = ParameterView(weights, *plan.stack->out.bias),
                      .c = out}));
  CONTINUO_RETURN_IF_ERROR(Gemm(stream(), {.a = attention,
                                           .b = packs.stack.attention_to_out,
                                           .c = out,
                                           .accumulate = true}));
  const TensorView projected = Rows(state.projected, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = out, .b = packs.stack.attn_w, .c = projected}));
  state.attention.Swap();
  *output = out;
  return EnterWindow(stream(),
                     {.window = window, .out = out, .projected = projected});
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
  for (const LayerState& state : layers) {
    for (const TensorView& window :
         {state.window_states.now, state.window_projected.now}) {
      if (!window) continue;
      CONTINUO_RETURN_IF_ERROR(CopyRows(
          stream(), {.x = window, .from = View(from), .to = View(to)}));
    }
  }
  return absl::OkStatus();
}

// On a GPU: every row's state, windows and all, from row source[r].
absl::Status EventRnnDecoder::State::GatherStates(const TensorView& source) {
  const int64_t count = source.shape[0];
  for (LayerState& layer : layers) {
    for (Buffered* buffered : {&layer.c, &layer.h, &layer.attention,
                               &layer.window_states, &layer.window_projected}) {
      if (!buffered->now) continue;
      CONTINUO_RETURN_IF_ERROR(
          GatherRows(stream(), {.x = Rows(buffered->now, rows),
                                .rows = source,
                                .out = Rows(buffered->next, count)}));
      buffered->Swap();
    }
  }
  SetRows(count);
  return absl::OkStatus();
}

// A row of an array, on the host.
absl::StatusOr<std::vector<float>> EventRnnDecoder::State::Read(
    const TensorView& view, int64_t row) const {
  const int64_t n = view.shape[1];
  std::vector<float> values(n);
  CONTINUO_RETURN_IF_ERROR(CopyAndWait(
      stream(), TensorView(view.data<float>() + row * n, {n}), View(values)));
  return values;
}

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
  for (const LayerState& layer : state.layers) {
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
  for (LayerState& layer : state.layers) {
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
  for (const LayerState& layer : state.layers) {
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
