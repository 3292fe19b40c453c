// EventRnnTrainer: memory, and the interface over its two passes.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/embedding.h"
#include "kernels/gemm.h"
#include "kernels/loss.h"
#include "kernels/optimizer.h"
#include "models/event_rnn.h"
#include "models/event_rnn_trainer_state.h"
#include "runtime/status.h"

namespace continuo {

void EventRnnTrainer::State::AllocateWeightsSized(Arena* arena) {
  packs = AllocatePacks(stream(), plan, !inference_only, arena);
  if (inference_only) return;
  const int64_t flat = rnn->flat_size();
  gradient = arena->Allocate<float>("gradient", {flat});
  m = arena->Allocate<float>("Adam slots", {flat});
  v = arena->Allocate<float>("Adam slots", {flat});
  adam_scratch = arena->Allocate<double>(
      "Adam slots", {ClipAdamScratch(stream(), static_cast<int64_t>(
                                                   rnn->parameters().size()))});
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
  const int64_t sparse_columns = std::max<int64_t>(4 * widest, first.width);
  backward.scratch = allocate(
      1, std::max(
             WeightGradientScratch(stream(), e, 2 * widest, 4 * widest),
             ScatterAddScratch(stream(), e, spec.input_size, sparse_columns)));
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

absl::StatusOr<std::unique_ptr<EventRnnTrainer>> EventRnnTrainer::Create(
    EventRnn* rnn, int max_rows, int64_t max_events, bool inference_only) {
  if (rnn->spec().attention_around_stack) {
    return absl::UnimplementedError(
        "this network has its attention around all layers (TensorFlow 0.x); "
        "it can generate, but not be trained or evaluated");
  }
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
  const float rate = static_cast<float>(
      adam.learning_rate * std::sqrt(1.0 - std::pow(adam.beta2, step)) /
      (1.0 - std::pow(adam.beta1, step)));
  std::vector<double> squared_norms(state_->rnn->parameters().size());
  const int64_t flat = state_->rnn->flat_size();
  CONTINUO_RETURN_IF_ERROR(ClipAdam(
      state_->stream(), {.tensor_begin = View(state_->tensor_begin),
                         .gradient = state_->gradient,
                         .weights = TensorView(state_->weights(), {flat}),
                         .m = state_->m,
                         .v = state_->v,
                         .clip_norm = adam.clip_norm,
                         .rate = ScalarView(&rate),
                         .beta1 = adam.beta1,
                         .beta2 = adam.beta2,
                         .epsilon = adam.epsilon,
                         .squared_norms = View(squared_norms),
                         .scratch = state_->adam_scratch}));
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
