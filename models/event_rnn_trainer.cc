// Forward and backward over a packed batch, and the optimizer step.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/attention.h"
#include "kernels/dropout.h"
#include "kernels/embedding.h"
#include "kernels/gemm.h"
#include "kernels/loss.h"
#include "kernels/lstm.h"
#include "kernels/optimizer.h"
#include "kernels/rows.h"
#include "models/event_rnn.h"
#include "models/event_rnn_weights.h"
#include "runtime/log.h"
#include "runtime/status.h"

namespace continuo {
namespace {

// What a layer keeps from forward for backward; rows are events.
struct LayerArrays {
  TensorView cell_input;     // [E, width] projected input
  TensorView x;              // [E, width] x' of the attention wrapper
  TensorView gates;          // [E, 4n]
  TensorView c;              // [E, n]
  TensorView h;              // [E, n]
  TensorView query;          // [E, n] attention, from here
  TensorView probabilities;  // [E, A]
  TensorView attention;      // [E, n]
  TensorView out;            // [E, n]
  TensorView projected;      // [E, n]
  TensorView window[2];      // [N, A, n]
  TensorView output;         // [E, n] after residual connection and dropout
};

// What only backward needs.
struct BackwardArrays {
  TensorView gradient[2];  // [E, widest layer], of layer outputs in turn
  TensorView dcell_input;  // [E, widest layer] residual connections
  TensorView dx;           // [E, width of layer 0] attention, as dprojected
  TensorView dprojected;   // [E, n of layer 0]
  TensorView dh;           // [N, widest layer], as dc
  TensorView dc;
  TensorView da;  // [N, n of layer 0] attention, as dv
  TensorView dv;
  TensorView dp;         // [N, A]
  TensorView window[2];  // [N, A, n] gradients of the attention window
  TensorView scratch;    // weight gradients
};

// The first `rows` rows of `view` as [rows, columns]: the buffers are planned
// for the largest batch and used densely.
TensorView Rows(const TensorView& view, int64_t rows, int64_t columns) {
  CONTINUO_CHECK(rows * columns <= view.num_elements());
  return TensorView(view.data<float>(), {rows, columns});
}
TensorView Rows(const TensorView& view, int64_t rows) {
  return view ? Rows(view, rows, view.shape[1]) : TensorView();
}

// Host arrays as operations on a CPU stream see them: in place.
template <typename T>
TensorView View(const std::vector<T>& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

absl::Status CheckBatch(const PackedBatch& batch, const NetworkSpec& spec) {
  if (batch.num_rows() == 0) {
    return absl::InvalidArgumentError("the batch has no sequences");
  }
  if (batch.inputs.width != spec.input_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the examples have ", batch.inputs.width, " inputs but the model has ",
        spec.input_size, "; use the configuration they were made with"));
  }
  const int heads = static_cast<int>(spec.head_sizes.size());
  if (batch.heads != heads) {
    return absl::InvalidArgumentError(
        absl::StrCat("the examples have ", batch.heads,
                     " labels per event but the model has ", heads,
                     "; use the configuration they were made with"));
  }
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    const int classes = spec.head_sizes[i % heads];
    if (batch.labels[i] >= 0 && batch.labels[i] < classes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "label ", batch.labels[i], " is outside the model's ", classes,
        " classes; use the configuration the examples were made with"));
  }
  return absl::OkStatus();
}

}  // namespace

struct EventRnnTrainer::State {
  EventRnn* rnn = nullptr;
  bool inference_only = false;
  int64_t max_rows = 0;
  int64_t max_events = 0;
  NetworkPlan plan;
  std::vector<int32_t> head_begin;
  std::vector<int64_t> tensor_begin;

  // Weights-sized: live as long as the trainer.
  std::unique_ptr<Arena> weights_arena;
  NetworkPacks packs;
  uint64_t packed_version = ~uint64_t{0};
  TensorView gradient;  // [flat]
  TensorView m;         // [flat]
  TensorView v;         // [flat]

  // Batch-sized: made anew when a larger batch comes.
  std::unique_ptr<Arena> batch_arena;
  std::vector<LayerArrays> layers;
  BackwardArrays backward;
  TensorView logits;      // [E, classes]
  TensorView dlogits;     // [E, classes]
  TensorView predicted;   // [E * heads] int32
  TensorView chunk_sums;  // [chunks] double

  // The current batch.
  Schedule schedule;
  SparseView inputs;
  std::vector<TensorView> outputs;  // [E, n] of each layer
  std::vector<int32_t> previous;    // [E] event of the same row a step before
  int64_t events = 0;

  const Stream& stream() const { return rnn->stream(); }
  float* weights() const { return rnn->device_weights(); }

  void AllocateWeightsSized(Arena* arena);
  void AllocateBatchSized(Arena* arena);
  absl::Status PlanBatch(int64_t rows, int64_t events);
  absl::Status Begin(const PackedBatch& batch);
  absl::Status Forward(const PackedBatch& batch, const DropoutSpec& dropout);
  absl::Status ForwardLayer(const PackedBatch& batch, const LayerPlan& layer,
                            const TensorView& below, const DropoutSpec& dropout,
                            TensorView* output);
  absl::Status Loss(const PackedBatch& batch, bool gradient, LossSums* sums);
  absl::Status Backward(const PackedBatch& batch, const DropoutSpec& dropout);
  absl::Status BackwardLayer(const PackedBatch& batch, const LayerPlan& layer,
                             const TensorView& below,
                             const DropoutSpec& dropout,
                             const TensorView& doutput,
                             const TensorView& dbelow);
  absl::Status BackwardCell(const LayerPlan& layer, const TensorView& doutput,
                            TensorView* dz);

  absl::Status Project(const TensorView& below, bool sparse,
                       const DenseParameters& dense, int64_t rows,
                       const TensorView& packed, const TensorView& out);
  absl::Status Accumulate(const TensorView& x, bool shifted,
                          const TensorView& dz, const TensorView& dw,
                          const TensorView& db);
};

void EventRnnTrainer::State::AllocateWeightsSized(Arena* arena) {
  packs = AllocatePacks(stream(), plan, !inference_only, arena);
  if (inference_only) return;
  const int64_t flat = rnn->flat_size();
  gradient = arena->Allocate<float>("gradient", {flat});
  m = arena->Allocate<float>("Adam slots", {flat});
  v = arena->Allocate<float>("Adam slots", {flat});
}

void EventRnnTrainer::State::AllocateBatchSized(Arena* arena) {
  const NetworkSpec& spec = rnn->spec();
  const int64_t e = max_events;
  layers.clear();
  int64_t widest = 0;
  for (const LayerPlan& layer : plan.layers) {
    const std::string what = absl::StrCat("activations of layer ", layer.index);
    const int64_t n = layer.units;
    const auto rows = [&](int64_t columns) {
      return arena->Allocate<float>(what, {e, columns});
    };
    widest = std::max(widest, n);
    LayerArrays& arrays = layers.emplace_back();
    if (layer.projection.kernel != nullptr) {
      arrays.cell_input = rows(layer.width);
    }
    arrays.gates = rows(4 * n);
    arrays.c = rows(n);
    arrays.h = rows(n);
    if (layer.attention) {
      arrays.x = rows(layer.width);
      arrays.query = rows(n);
      arrays.probabilities = rows(spec.attn_length);
      arrays.attention = rows(n);
      arrays.out = rows(n);
      arrays.projected = rows(n);
      for (TensorView& window : arrays.window) {
        window = arena->Allocate<float>(what, {max_rows, spec.attn_length, n});
      }
    }
    arrays.output = rows(n);
  }
  const int64_t heads = static_cast<int64_t>(spec.head_sizes.size());
  constexpr char kLogits[] = "logits and loss";
  logits = arena->Allocate<float>(kLogits, {e, spec.num_classes()});
  predicted = arena->Allocate<int32_t>(kLogits, {e * heads});
  chunk_sums =
      arena->Allocate<double>(kLogits, {(e + kLossChunk - 1) / kLossChunk});
  if (inference_only) return;
  dlogits = arena->Allocate<float>(kLogits, {e, spec.num_classes()});
  const LayerPlan& first = plan.layers.front();
  const auto allocate = [&](int64_t rows, int64_t columns) {
    return arena->Allocate<float>("activation gradients", {rows, columns});
  };
  backward.gradient[0] = allocate(e, widest);
  backward.gradient[1] = allocate(e, widest);
  if (spec.residual_connections) backward.dcell_input = allocate(e, widest);
  backward.dh = allocate(max_rows, widest);
  backward.dc = allocate(max_rows, widest);
  if (first.attention) {
    backward.dx = allocate(e, first.width);
    backward.dprojected = allocate(e, first.units);
    backward.da = allocate(max_rows, first.units);
    backward.dv = allocate(max_rows, first.units);
    backward.dp = allocate(max_rows, spec.attn_length);
    for (TensorView& window : backward.window) {
      window = allocate(max_rows, spec.attn_length * first.units);
    }
  }
  backward.scratch = allocate(1, WeightGradientScratch(stream()));
}

absl::Status EventRnnTrainer::State::PlanBatch(int64_t rows, int64_t count) {
  max_rows = std::max(rows, max_rows);
  max_events = std::max(count, max_events);
  batch_arena = std::make_unique<Arena>(stream().device);
  AllocateBatchSized(batch_arena.get());
  CONTINUO_RETURN_IF_ERROR(Annotate(
      batch_arena->Commit(),
      absl::StrCat("a batch of ", max_rows, " sequences with ", max_events,
                   " events (a smaller batch_size needs less)")));
  AllocateBatchSized(batch_arena.get());
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::State::Begin(const PackedBatch& batch) {
  CONTINUO_RETURN_IF_ERROR(CheckBatch(batch, rnn->spec()));
  if (batch.num_rows() > max_rows || batch.num_events() > max_events) {
    CONTINUO_RETURN_IF_ERROR(PlanBatch(batch.num_rows(), batch.num_events()));
  }
  if (packed_version != rnn->version()) {
    CONTINUO_RETURN_IF_ERROR(PackNetwork(stream(), plan, weights(), packs));
    packed_version = rnn->version();
  }
  events = batch.num_events();
  schedule = {.alive = View(batch.alive), .step_begin = View(batch.step_begin)};
  inputs = {.row_begin = View(batch.inputs.row_begin),
            .index = View(batch.inputs.index),
            .value = View(batch.inputs.value)};
  return absl::OkStatus();
}

// out = (below or the sparse inputs) * the first `rows` rows of the kernel +
// bias.
absl::Status EventRnnTrainer::State::Project(
    const TensorView& below, bool sparse, const DenseParameters& dense,
    int64_t rows, const TensorView& packed, const TensorView& out) {
  const TensorView bias = ParameterView(weights(), *dense.bias);
  if (sparse) {
    return GatherSum(
        stream(), {.inputs = inputs,
                   .weights = ParameterRows(weights(), *dense.kernel, 0, rows),
                   .bias = bias,
                   .out = out});
  }
  return Gemm(stream(), {.a = below, .b = packed, .bias = bias, .c = out});
}

absl::Status EventRnnTrainer::State::ForwardLayer(const PackedBatch& batch,
                                                  const LayerPlan& layer,
                                                  const TensorView& below,
                                                  const DropoutSpec& dropout,
                                                  TensorView* output) {
  const LayerArrays& arrays = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
  TensorView input = below;
  if (layer.projection.kernel != nullptr) {
    input = Rows(arrays.cell_input, events);
    CONTINUO_RETURN_IF_ERROR(Project(below, layer.sparse, layer.projection,
                                     layer.input,
                                     layer_packs.projection.forward, input));
  }
  const TensorView gates = Rows(arrays.gates, events);
  const TensorView c = Rows(arrays.c, events);
  const TensorView h = Rows(arrays.h, events);
  TensorView y = h;
  if (layer.attention) {
    const TensorView x = Rows(arrays.x, events);
    CONTINUO_RETURN_IF_ERROR(Project(input, layer.sparse_cell(), layer.wrapper,
                                     layer.width,
                                     layer_packs.cell_input.forward, x));
    y = Rows(arrays.out, events);
    CONTINUO_RETURN_IF_ERROR(AttentionForward(
        stream(),
        {.schedule = schedule,
         .weights = MakeAttentionWeights(layer, layer_packs, weights()),
         .window = rnn->spec().attn_length,
         .x = x,
         .gates = gates,
         .c = c,
         .h = h,
         .query = Rows(arrays.query, events),
         .probabilities = Rows(arrays.probabilities, events),
         .attention = Rows(arrays.attention, events),
         .out = y,
         .projected = Rows(arrays.projected, events),
         .window_states = arrays.window[0],
         .window_projected = arrays.window[1]}));
  } else {
    CONTINUO_RETURN_IF_ERROR(Project(input, layer.sparse_cell(), layer.lstm,
                                     layer.width,
                                     layer_packs.cell_input.forward, gates));
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.schedule = schedule,
                               .recurrent = layer_packs.recurrent.forward,
                               .gates = gates,
                               .c = c,
                               .h = h}));
  }
  *output = Rows(arrays.output, events);
  if (layer.residual) {
    CONTINUO_RETURN_IF_ERROR(Sum(stream(), {.a = y, .b = input, .c = *output}));
    y = *output;
  }
  if (dropout.keep_prob < 1) {
    return Dropout(stream(), {.schedule = schedule,
                              .source = View(batch.source),
                              .x = y,
                              .out = *output,
                              .keep_prob = dropout.keep_prob,
                              .seed = dropout.seed,
                              .step = dropout.step,
                              .layer = layer.index});
  }
  *output = y;
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::State::Forward(const PackedBatch& batch,
                                             const DropoutSpec& dropout) {
  CONTINUO_RETURN_IF_ERROR(Begin(batch));
  outputs.clear();
  TensorView below;
  for (const LayerPlan& layer : plan.layers) {
    TensorView output;
    CONTINUO_RETURN_IF_ERROR(
        ForwardLayer(batch, layer, below, dropout, &output));
    outputs.push_back(output);
    below = output;
  }
  return Gemm(stream(), {.a = below,
                         .b = packs.logits.forward,
                         .bias = ParameterView(weights(), *plan.logits.bias),
                         .c = Rows(logits, events)});
}

absl::Status EventRnnTrainer::State::Loss(const PackedBatch& batch,
                                          bool gradient, LossSums* sums) {
  const NetworkSpec& spec = rnn->spec();
  sums->class_labels.resize(spec.num_classes());
  sums->class_correct.resize(spec.num_classes());
  const int64_t labels = events * batch.heads;
  int64_t counts[4] = {};
  CONTINUO_RETURN_IF_ERROR(SoftmaxLoss(
      stream(),
      {.logits = Rows(logits, events),
       .labels = View(batch.labels),
       .head_begin = View(head_begin),
       .default_label = View(spec.default_label),
       .dlogits = gradient ? Rows(dlogits, events) : TensorView(),
       .scale = 1.0 / static_cast<double>(labels),
       .cross_entropy = TensorView(&sums->cross_entropy, {1}),
       .counts = TensorView(counts, {4}),
       .class_labels = View(sums->class_labels),
       .class_correct = View(sums->class_correct),
       .predicted = TensorView(predicted.data<int32_t>(), {labels}),
       .chunk_sums = TensorView(chunk_sums.data<double>(),
                                {(events + kLossChunk - 1) / kLossChunk})}));
  sums->labels += labels;
  sums->correct += counts[1] + counts[3];
  sums->event_labels += counts[0];
  sums->event_correct += counts[1];
  sums->no_event_labels += counts[2];
  sums->no_event_correct += counts[3];
  return absl::OkStatus();
}

// dw += x^T dz, db += sums of dz. `shifted`: x is that of the event before.
absl::Status EventRnnTrainer::State::Accumulate(const TensorView& x,
                                                bool shifted,
                                                const TensorView& dz,
                                                const TensorView& dw,
                                                const TensorView& db) {
  return WeightGradient(stream(),
                        {.x = x,
                         .rows = shifted ? View(previous) : TensorView(),
                         .dz = dz,
                         .dw = dw,
                         .db = db,
                         .scratch = backward.scratch});
}

// The cell's own backward pass: activation gradients and the gradients of all
// weights but those of its input.  *dz receives the gradient of the product of
// the cell's input: of z, or of x' of the attention wrapper.
absl::Status EventRnnTrainer::State::BackwardCell(const LayerPlan& layer,
                                                  const TensorView& doutput,
                                                  TensorView* dz) {
  const LayerArrays& arrays = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
  const int64_t n = layer.units;
  const int64_t rows = schedule.alive.data<int32_t>()[0];
  const TensorView gates = Rows(arrays.gates, events);
  const TensorView c = Rows(arrays.c, events);
  const TensorView h = Rows(arrays.h, events);
  const TensorView no_bias;
  const auto part = [&](const Parameter* parameter, int64_t begin,
                        int64_t end) {
    return ParameterRows(gradient.data<float>(), *parameter, begin, end);
  };
  const auto whole = [&](const Parameter* parameter) {
    return ParameterView(gradient.data<float>(), *parameter);
  };
  if (!layer.attention) {
    CONTINUO_RETURN_IF_ERROR(
        LstmBackward(stream(), {.schedule = schedule,
                                .recurrent_t = layer_packs.recurrent.transposed,
                                .c = c,
                                .gates = gates,
                                .dh = doutput,
                                .dc = Rows(backward.dc, rows, n)}));
    *dz = gates;
    return Accumulate(h, true, gates,
                      part(layer.lstm.kernel, layer.width, layer.width + n),
                      no_bias);
  }
  const TensorView x = Rows(arrays.x, events);
  const TensorView query = Rows(arrays.query, events);
  const TensorView attention = Rows(arrays.attention, events);
  const TensorView out = Rows(arrays.out, events);
  const TensorView dprojected = Rows(backward.dprojected, events);
  const TensorView dx = Rows(backward.dx, events);
  CONTINUO_RETURN_IF_ERROR(AttentionBackward(
      stream(), {.schedule = schedule,
                 .weights = MakeAttentionTransposes(layer_packs),
                 .score = ParameterView(weights(), *layer.attn_v),
                 .window = rnn->spec().attn_length,
                 .gates = gates,
                 .c = c,
                 .query = query,
                 .probabilities = Rows(arrays.probabilities, events),
                 .out = out,
                 .projected = Rows(arrays.projected, events),
                 .dout = doutput,
                 .dprojected = dprojected,
                 .dx = dx,
                 .dscore = whole(layer.attn_v),
                 .dh = Rows(backward.dh, rows, n),
                 .dc = Rows(backward.dc, rows, n),
                 .da = Rows(backward.da, rows, n),
                 .dv = Rows(backward.dv, rows, n),
                 .dp = Rows(backward.dp, rows),
                 .window_states = arrays.window[0],
                 .window_projected = arrays.window[1],
                 .window_dstates = backward.window[0],
                 .window_dprojected = backward.window[1]}));
  const int64_t w = layer.width;
  // `query` now holds its gradient.
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      x, false, gates, part(layer.lstm.kernel, 0, w), whole(layer.lstm.bias)));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(h, true, gates, part(layer.lstm.kernel, w, w + n), no_bias));
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      attention, true, dx, part(layer.wrapper.kernel, w, w + n), no_bias));
  CONTINUO_RETURN_IF_ERROR(Accumulate(c, false, query,
                                      part(layer.query.kernel, 0, n),
                                      whole(layer.query.bias)));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(h, false, query, part(layer.query.kernel, n, 2 * n), no_bias));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(out, false, dprojected, whole(layer.attn_w), no_bias));
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      h, false, doutput, part(layer.out.kernel, 0, n), whole(layer.out.bias)));
  *dz = dx;
  return Accumulate(attention, false, doutput, part(layer.out.kernel, n, 2 * n),
                    no_bias);
}

// Gradients of one layer's weights; `dbelow` receives the gradient of a dense
// input (not given: the input is sparse). Overwrites doutput.
absl::Status EventRnnTrainer::State::BackwardLayer(const PackedBatch& batch,
                                                   const LayerPlan& layer,
                                                   const TensorView& below,
                                                   const DropoutSpec& dropout,
                                                   const TensorView& doutput,
                                                   const TensorView& dbelow) {
  const LayerPacks& layer_packs = packs.layers[layer.index];
  const bool projected = layer.projection.kernel != nullptr;
  float* const flat = gradient.data<float>();
  if (dropout.keep_prob < 1) {
    CONTINUO_RETURN_IF_ERROR(Dropout(stream(), {.schedule = schedule,
                                                .source = View(batch.source),
                                                .x = doutput,
                                                .out = doutput,
                                                .keep_prob = dropout.keep_prob,
                                                .seed = dropout.seed,
                                                .step = dropout.step,
                                                .layer = layer.index}));
  }
  TensorView dinput = dbelow;
  if (layer.residual) {
    if (projected) dinput = Rows(backward.dcell_input, events, layer.width);
    CONTINUO_RETURN_IF_ERROR(Copy(stream(), {.from = doutput, .to = dinput}));
  }
  TensorView dz;
  CONTINUO_RETURN_IF_ERROR(BackwardCell(layer, doutput, &dz));
  const DenseParameters& cell = layer.attention ? layer.wrapper : layer.lstm;
  // Attention has summed the LSTM's bias already; this is its wrapper's.
  const TensorView dcell = ParameterRows(flat, *cell.kernel, 0, layer.width);
  const TensorView dbias = ParameterView(flat, *cell.bias);
  if (layer.sparse_cell()) {
    CONTINUO_RETURN_IF_ERROR(
        ScatterAdd(stream(), {.inputs = inputs, .dz = dz, .dw = dcell}));
    return Accumulate(TensorView(), false, dz, TensorView(), dbias);
  }
  const TensorView input =
      projected ? Rows(layers[layer.index].cell_input, events) : below;
  CONTINUO_RETURN_IF_ERROR(Accumulate(input, false, dz, dcell, dbias));
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = dz,
                      .b = layer_packs.cell_input.transposed,
                      .c = dinput,
                      .accumulate = layer.residual}));
  if (!projected) return absl::OkStatus();
  const TensorView dprojection = ParameterView(flat, *layer.projection.kernel);
  const TensorView dprojection_bias =
      ParameterView(flat, *layer.projection.bias);
  if (layer.sparse) {
    CONTINUO_RETURN_IF_ERROR(ScatterAdd(
        stream(), {.inputs = inputs, .dz = dinput, .dw = dprojection}));
    return Accumulate(TensorView(), false, dinput, TensorView(),
                      dprojection_bias);
  }
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(below, false, dinput, dprojection, dprojection_bias));
  return Gemm(
      stream(),
      {.a = dinput, .b = layer_packs.projection.transposed, .c = dbelow});
}

absl::Status EventRnnTrainer::State::Backward(const PackedBatch& batch,
                                              const DropoutSpec& dropout) {
  float* const flat = gradient.data<float>();
  CONTINUO_RETURN_IF_ERROR(Zero(stream(), {.x = gradient}));
  previous.assign(events, -1);
  for (int t = 1; t < batch.num_steps(); ++t) {
    for (int row = 0; row < batch.alive[t]; ++row) {
      previous[batch.step_begin[t] + row] = batch.step_begin[t - 1] + row;
    }
  }
  const int num_layers = static_cast<int>(plan.layers.size());
  const TensorView dz = Rows(dlogits, events);
  int turn = 0;
  TensorView doutput =
      Rows(backward.gradient[turn], events, plan.layers.back().units);
  CONTINUO_RETURN_IF_ERROR(Accumulate(outputs.back(), false, dz,
                                      ParameterView(flat, *plan.logits.kernel),
                                      ParameterView(flat, *plan.logits.bias)));
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = dz, .b = packs.logits.transposed, .c = doutput}));
  for (int i = num_layers - 1; i >= 0; --i) {
    const LayerPlan& layer = plan.layers[i];
    turn = 1 - turn;
    TensorView below;
    TensorView dbelow;
    if (i > 0) {
      below = outputs[i - 1];
      dbelow = Rows(backward.gradient[turn], events, layer.input);
    }
    CONTINUO_RETURN_IF_ERROR(
        BackwardLayer(batch, layer, below, dropout, doutput, dbelow));
    doutput = dbelow;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<EventRnnTrainer>> EventRnnTrainer::Create(
    EventRnn* rnn, int max_rows, int64_t max_events, int /*max_steps*/,
    bool inference_only) {
  auto state = std::make_unique<State>();
  state->rnn = rnn;
  state->inference_only = inference_only;
  state->plan = MakeNetworkPlan(rnn->spec(), rnn->parameters());
  state->head_begin = {0};
  for (int size : rnn->spec().head_sizes) {
    state->head_begin.push_back(state->head_begin.back() + size);
  }
  for (const Parameter& parameter : rnn->parameters()) {
    state->tensor_begin.push_back(parameter.offset);
  }
  state->tensor_begin.push_back(rnn->flat_size());
  state->weights_arena = std::make_unique<Arena>(rnn->stream().device);
  state->AllocateWeightsSized(state->weights_arena.get());
  CONTINUO_RETURN_IF_ERROR(state->weights_arena->Commit());
  state->AllocateWeightsSized(state->weights_arena.get());
  CONTINUO_RETURN_IF_ERROR(state->PlanBatch(max_rows, max_events));
  return std::unique_ptr<EventRnnTrainer>(
      new EventRnnTrainer(std::move(state)));
}

EventRnnTrainer::EventRnnTrainer(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
EventRnnTrainer::~EventRnnTrainer() = default;

std::vector<MemoryPlanLine> EventRnnTrainer::memory_plan() const {
  const int64_t flat_bytes = state_->rnn->flat_size() * sizeof(float);
  std::vector<MemoryPlanLine> lines = {{"weights", flat_bytes}};
  for (const Arena* arena :
       {state_->weights_arena.get(), state_->batch_arena.get()}) {
    lines.insert(lines.end(), arena->plan().begin(), arena->plan().end());
  }
  return lines;
}

absl::Status EventRnnTrainer::ComputeGradients(const PackedBatch& batch,
                                               const DropoutSpec& dropout,
                                               LossSums* sums) {
  CONTINUO_CHECK(!state_->inference_only);
  CONTINUO_RETURN_IF_ERROR(state_->Forward(batch, dropout));
  CONTINUO_RETURN_IF_ERROR(state_->Loss(batch, true, sums));
  return state_->Backward(batch, dropout);
}

absl::Status EventRnnTrainer::ApplyGradients(const AdamSpec& adam,
                                             double* gradient_norm) {
  CONTINUO_CHECK(!state_->inference_only && adam.step >= 1);
  const double step = static_cast<double>(adam.step);
  const double rate = adam.learning_rate *
                      std::sqrt(1.0 - std::pow(adam.beta2, step)) /
                      (1.0 - std::pow(adam.beta1, step));
  std::vector<double> squared_norms(state_->rnn->parameters().size());
  const int64_t flat = state_->rnn->flat_size();
  CONTINUO_RETURN_IF_ERROR(ClipAdam(
      state_->stream(), {.tensor_begin = View(state_->tensor_begin),
                         .gradient = state_->gradient,
                         .weights = TensorView(state_->weights(), {flat}),
                         .m = state_->m,
                         .v = state_->v,
                         .clip_norm = adam.clip_norm,
                         .rate = rate,
                         .beta1 = adam.beta1,
                         .beta2 = adam.beta2,
                         .epsilon = adam.epsilon,
                         .squared_norms = View(squared_norms)}));
  state_->rnn->MarkChanged();
  double total = 0;
  for (double squared_norm : squared_norms) total += squared_norm;
  *gradient_norm = std::sqrt(total);
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::Evaluate(const PackedBatch& batch,
                                       const DropoutSpec& dropout,
                                       LossSums* sums) {
  CONTINUO_RETURN_IF_ERROR(state_->Forward(batch, dropout));
  return state_->Loss(batch, false, sums);
}

absl::Status EventRnnTrainer::GetLogits(std::vector<float>* logits) const {
  const int64_t count = state_->events * state_->rnn->spec().num_classes();
  const float* from = state_->logits.data<float>();
  logits->assign(from, from + count);
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::GetGradient(absl::Span<float> flat) const {
  const TensorView& gradient = state_->gradient;
  CONTINUO_CHECK(static_cast<int64_t>(flat.size()) == gradient.num_elements());
  std::copy_n(gradient.data<float>(), flat.size(), flat.begin());
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::GetSlots(absl::Span<float> m,
                                       absl::Span<float> v) const {
  const int64_t size = state_->rnn->flat_size();
  CONTINUO_CHECK(static_cast<int64_t>(m.size()) == size);
  CONTINUO_CHECK(static_cast<int64_t>(v.size()) == size);
  std::copy_n(state_->m.data<float>(), size, m.begin());
  std::copy_n(state_->v.data<float>(), size, v.begin());
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::SetSlots(absl::Span<const float> m,
                                       absl::Span<const float> v) {
  const int64_t size = state_->rnn->flat_size();
  if (static_cast<int64_t>(m.size()) != size ||
      static_cast<int64_t>(v.size()) != size) {
    return absl::InvalidArgumentError(
        absl::StrCat("Adam slots of ", m.size(), " and ", v.size(),
                     " values do not fit a network of ", size, " weights"));
  }
  std::copy(m.begin(), m.end(), state_->m.data<float>());
  std::copy(v.begin(), v.end(), state_->v.data<float>());
  return absl::OkStatus();
}

}  // namespace continuo
