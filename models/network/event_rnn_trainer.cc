// SPDX-License-Identifier: Apache-2.0

// EventRnnTrainer: memory, and the interface over its two passes.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/layers/loss.h"
#include "kernels/layers/optimizer.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

namespace continuo {
namespace {

Pass MakePass(const DropoutSpec& dropout, bool gradient) {
  return {.gradient = gradient,
          .keep_prob = dropout.keep_prob,
          .seed = dropout.seed};
}

void SetAdam(const AdamSpec& adam, Pass* pass) {
  pass->update = true;
  pass->adam = adam.params;
}

// The learning rate with the bias correction of the step.
float AdamRate(const AdamSpec& adam) {
  CONTINUO_CHECK(adam.step >= 1);
  const double step = static_cast<double>(adam.step);
  return static_cast<float>(adam.learning_rate *
                            std::sqrt(1.0 - std::pow(adam.params.beta2, step)) /
                            (1.0 - std::pow(adam.params.beta1, step)));
}

// `labels`: how many the loss is the mean of.
StepScalars MakeScalars(int64_t labels, const DropoutSpec& dropout) {
  return {.dropout_step = dropout.step,
          .loss_scale = static_cast<float>(1.0 / static_cast<double>(labels))};
}

StepScalars MakeScalars(const PackedBatch& batch, const DropoutSpec& dropout) {
  return MakeScalars(static_cast<int64_t>(batch.labels.size()), dropout);
}

}  // namespace

void EventRnnTrainer::State::AllocateWeightsSized(Arena* arena) {
  layers.PlanWeights(stream(), !inference_only, arena);
  const NetworkSpec& spec = rnn->spec();
  const int64_t heads = static_cast<int64_t>(spec.head_sizes.size());
  const int64_t tensors = static_cast<int64_t>(rnn->parameters().size());
  head_begin = arena->Allocate<int32_t>("results", {heads + 1});
  default_label = arena->Allocate<int64_t>("results", {heads});
  tensor_begin = arena->Allocate<int64_t>("results", {tensors + 1});
  results = AllocateResults(arena);
  if (inference_only) return;
  const int64_t flat = rnn->flat_size();
  gradient = arena->Allocate<float>("gradient", {flat});
  AllocateSums(arena);
  AllocateReduction(arena);
  m = arena->Allocate<float>("Adam slots", {flat});
  v = arena->Allocate<float>("Adam slots", {flat});
  adam_scratch = arena->Allocate<double>(
      "Adam slots", {ClipAdamScratch(stream(), static_cast<int64_t>(
                                                   rnn->parameters().size()))});
}

// One array of 8-byte elements, and views of its parts.
ResultArrays EventRnnTrainer::State::AllocateResults(Arena* arena) const {
  const int64_t classes = rnn->spec().num_classes();
  const int64_t tensors = static_cast<int64_t>(rnn->parameters().size());
  ResultArrays arrays;
  arrays.all =
      arena->Allocate<uint64_t>("results", {5 + 2 * classes + tensors});
  uint64_t* next = arrays.all.data<uint64_t>();
  const auto take = [&]<typename T>(T*, int64_t size) {
    const TensorView part(reinterpret_cast<T*>(next), {size});
    if (next != nullptr) next += size;
    return part;
  };
  constexpr double* kDouble = nullptr;
  constexpr int64_t* kInteger = nullptr;
  arrays.cross_entropy = take(kDouble, 1);
  arrays.counts = take(kInteger, 4);
  arrays.class_labels = take(kInteger, classes);
  arrays.class_correct = take(kInteger, classes);
  arrays.squared_norms = take(kDouble, tensors);
  return arrays;
}

// Arrays that no batch changes.
absl::Status EventRnnTrainer::State::UploadConstants() {
  const NetworkSpec& spec = rnn->spec();
  std::vector<int32_t> begins = {0};
  for (int size : spec.head_sizes) begins.push_back(begins.back() + size);
  std::vector<int64_t> offsets;
  for (const Parameter& parameter : rnn->parameters()) {
    offsets.push_back(parameter.offset);
  }
  offsets.push_back(rnn->flat_size());
  const auto upload = [this]<typename T>(const std::vector<T>& from,
                                         const TensorView& to) {
    return CopyAndWait(stream(), TensorView(from.data(), to.shape), to);
  };
  CONTINUO_RETURN_IF_ERROR(upload(begins, head_begin));
  CONTINUO_RETURN_IF_ERROR(upload(spec.default_label, default_label));
  return upload(offsets, tensor_begin);
}

void EventRnnTrainer::State::AllocateBatchSized(Arena* arena) {
  const NetworkSpec& spec = rnn->spec();
  const int64_t e = max_events;
  BatchPlan plan = {.stream = stream(),
                    .rows = max_rows,
                    .events = e,
                    .backward = !inference_only,
                    .arena = arena};
  layers.body->PlanBatch(&plan);
  const int64_t heads = static_cast<int64_t>(spec.head_sizes.size());
  constexpr char kLogits[] = "logits and loss";
  logits = arena->Allocate<float>(kLogits, {e, spec.num_classes()});
  predicted = arena->Allocate<int32_t>(kLogits, {e * heads});
  chunk_sums =
      arena->Allocate<double>(kLogits, {(e + kLossChunk - 1) / kLossChunk});
  if (inference_only) return;
  layers.logits->PlanBackward(&plan);
  dlogits = arena->Allocate<float>(kLogits, {e, spec.num_classes()});
  constexpr char kGradients[] = "activation gradients";
  doutput = arena->Allocate<float>(kGradients, {e, spec.layer_sizes.back()});
  gradient_scratch =
      arena->Allocate<float>(kGradients, {plan.gradient_scratch});
}

absl::Status EventRnnTrainer::State::PlanBatch(int64_t rows, int64_t count) {
  max_rows = std::max(rows, max_rows);
  max_events = std::max(count, max_events);
  if (stream().device.type == DeviceType::kCuda) {
    max_events = BucketEvents(max_events);
  }
  graphs.clear();
  batch_arena = std::make_unique<Arena>(stream().device);
  AllocateBatchSized(batch_arena.get());
  CONTINUO_RETURN_IF_ERROR(Annotate(
      batch_arena->Commit(),
      absl::StrCat("a batch of ", max_rows, " sequences with ", max_events,
                   " events (a smaller batch_size needs less)")));
  AllocateBatchSized(batch_arena.get());
  return absl::OkStatus();
}

// Copies the first elements of a device array to the host.
absl::Status EventRnnTrainer::State::Read(const TensorView& array,
                                          absl::Span<float> to) const {
  const int64_t size = static_cast<int64_t>(to.size());
  CONTINUO_CHECK(size <= array.num_elements());
  return CopyAndWait(stream(), TensorView(array.data<float>(), {size}),
                     TensorView(to.data(), {size}));
}

absl::StatusOr<std::unique_ptr<EventRnnTrainer>> EventRnnTrainer::Create(
    EventRnn* rnn, int max_rows, int64_t max_events, bool inference_only,
    const GradientShare& share) {
  auto state = std::make_unique<State>();
  state->rnn = rnn;
  state->inference_only = inference_only;
  state->share = share;
  const Stream& stream = rnn->stream();
  state->layers = MakeNetworkLayers(rnn->spec(), stream);
  state->batch = std::make_unique<DeviceBatch>(stream);
  state->host_arena =
      std::make_unique<Arena>(stream.device, MemoryKind::kPinned);
  state->AllocateResults(state->host_arena.get());
  CONTINUO_RETURN_IF_ERROR(state->host_arena->Commit());
  state->host_results = state->AllocateResults(state->host_arena.get());
  state->weights_arena = std::make_unique<Arena>(stream.device);
  state->AllocateWeightsSized(state->weights_arena.get());
  CONTINUO_RETURN_IF_ERROR(state->weights_arena->Commit());
  state->AllocateWeightsSized(state->weights_arena.get());
  CONTINUO_RETURN_IF_ERROR(state->UploadConstants());
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
    for (const MemoryPlanLine& line : arena->plan()) {
      AddToPlan(line.what, line.bytes, &lines);
    }
  }
  return lines;
}

absl::Status EventRnnTrainer::State::Gradient(const PackedBatch& input,
                                              const DropoutSpec& dropout,
                                              int64_t labels) {
  return Run(input, MakePass(dropout, /*gradient=*/true),
             MakeScalars(labels, dropout));
}

absl::Status EventRnnTrainer::ComputeGradients(const PackedBatch& batch,
                                               const DropoutSpec& dropout,
                                               LossSums* sums) {
  CONTINUO_CHECK(!state_->inference_only);
  CONTINUO_RETURN_IF_ERROR(state_->Gradient(
      batch, dropout, static_cast<int64_t>(batch.labels.size())));
  state_->AddLoss(batch, sums);
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::ApplyGradients(const AdamSpec& adam,
                                             double* gradient_norm) {
  CONTINUO_CHECK(!state_->inference_only);
  Pass pass;
  SetAdam(adam, &pass);
  CONTINUO_RETURN_IF_ERROR(
      state_->batch->LoadScalars({.rate = AdamRate(adam)}));
  CONTINUO_RETURN_IF_ERROR(state_->Update(pass));
  state_->rnn->MarkChanged();
  CONTINUO_RETURN_IF_ERROR(state_->ReadResults());
  *gradient_norm = state_->GradientNorm();
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::TrainStep(const PackedBatch& batch,
                                        const DropoutSpec& dropout,
                                        const AdamSpec& adam, LossSums* sums,
                                        double* gradient_norm) {
  CONTINUO_CHECK(!state_->inference_only);
  if (state_->stream().device.type == DeviceType::kCpu) {
    CONTINUO_RETURN_IF_ERROR(ComputeGradients(batch, dropout, sums));
    if (!std::isfinite(sums->cross_entropy)) return absl::OkStatus();
    return ApplyGradients(adam, gradient_norm);
  }
  Pass pass = MakePass(dropout, /*gradient=*/true);
  SetAdam(adam, &pass);
  StepScalars scalars = MakeScalars(batch, dropout);
  scalars.rate = AdamRate(adam);
  CONTINUO_RETURN_IF_ERROR(state_->Run(batch, pass, scalars));
  state_->AddLoss(batch, sums);
  *gradient_norm = state_->GradientNorm();
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::Evaluate(const PackedBatch& batch,
                                       const DropoutSpec& dropout,
                                       LossSums* sums) {
  CONTINUO_RETURN_IF_ERROR(state_->Run(batch,
                                       MakePass(dropout, /*gradient=*/false),
                                       MakeScalars(batch, dropout)));
  state_->AddLoss(batch, sums);
  return absl::OkStatus();
}

int64_t EventRnnTrainer::num_recordings() const {
  return state_->num_recordings;
}

absl::Status EventRnnTrainer::GetLogits(std::vector<float>* logits) const {
  const State& state = *state_;
  logits->resize(state.batch->events() * state.rnn->spec().num_classes());
  return state.Read(state.logits, absl::MakeSpan(*logits));
}

absl::Status EventRnnTrainer::GetGradient(absl::Span<float> flat) const {
  return state_->Read(state_->gradient, flat);
}

absl::Status EventRnnTrainer::GetSlots(absl::Span<float> m,
                                       absl::Span<float> v) const {
  CONTINUO_RETURN_IF_ERROR(state_->Read(state_->m, m));
  return state_->Read(state_->v, v);
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
  const Stream& stream = state_->stream();
  CONTINUO_RETURN_IF_ERROR(
      CopyAndWait(stream, TensorView(m.data(), {size}), state_->m));
  return CopyAndWait(stream, TensorView(v.data(), {size}), state_->v);
}

}  // namespace continuo
