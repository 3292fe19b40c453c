// SPDX-License-Identifier: Apache-2.0

// A pass over a batch: checks it, puts it on the device, runs the operations or
// their recording, and reads the results.

#include <cmath>

#include "absl/strings/str_cat.h"
#include "kernels/layers/elementwise.h"
#include "kernels/layers/loss.h"
#include "kernels/layers/optimizer.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// Recordings that are kept; a data set has a few dozens of shapes.
constexpr size_t kMaxGraphs = 256;

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

// Renews the packed weights.
absl::Status EventRnnTrainer::State::Pack() {
  CONTINUO_RETURN_IF_ERROR(layers.Pack(stream(), weights()));
  packed_version = rnn->version();
  return absl::OkStatus();
}

// Whether all operations of a pass can be recorded: those that launch once a
// step would be recorded for one layout.
bool EventRnnTrainer::State::CanRecord(const PackedBatch& input) const {
  if (stream().device.type == DeviceType::kCpu) return false;
  const BatchShape shape = BucketShape(input);
  return layers.body->CanRecord(stream(), shape.rows, shape.steps);
}

absl::Status EventRnnTrainer::State::Update(const Pass& pass) {
  const int64_t flat = rnn->flat_size();
  return ClipAdam(stream(), {.tensor_begin = tensor_begin,
                             .gradient = gradient,
                             .weights = TensorView(weights(), {flat}),
                             .m = m,
                             .v = v,
                             .adam = pass.adam,
                             .rate = batch->rate,
                             .squared_norms = results.squared_norms,
                             .scratch = adam_scratch});
}

absl::Status EventRnnTrainer::State::Loss(const Pass& pass) {
  const int64_t count = events();
  const int64_t labels = batch->labels.num_elements();
  return SoftmaxLoss(
      stream(),
      {.logits = Rows(logits, count),
       .labels = batch->labels,
       .head_begin = head_begin,
       .default_label = default_label,
       .dlogits = pass.gradient ? Rows(dlogits, count) : TensorView(),
       .scale = batch->loss_scale,
       .cross_entropy = results.cross_entropy,
       .counts = results.counts,
       .class_labels = results.class_labels,
       .class_correct = results.class_correct,
       .predicted = TensorView(predicted.data<int32_t>(), {labels}),
       .chunk_sums = TensorView(chunk_sums.data<double>(),
                                {(count + kLossChunk - 1) / kLossChunk})});
}

LayerPass EventRnnTrainer::State::MakeLayerPass(const Pass& pass) const {
  return {.stream = stream(),
          .weights = weights(),
          .gradient = pass.gradient ? gradient.data<float>() : nullptr,
          .ragged = batch->ragged,
          .rows = batch->shape().rows,
          .events = events(),
          .source = batch->source,
          .previous = batch->previous,
          .recorded = recorded,
          .gradient_scratch = gradient_scratch,
          .keep_prob = pass.keep_prob,
          .seed = pass.seed,
          .dropout_step = batch->dropout_step};
}

absl::Status EventRnnTrainer::State::Operations(const Pass& pass) {
  // Zero bits are zeros of every type.
  CONTINUO_RETURN_IF_ERROR(
      Zero(stream(), {.x = TensorView(static_cast<float*>(results.all.raw),
                                      {2 * results.all.num_elements()})}));
  // A recorded update changes the weights of each of its runs.
  if (recorded && pass.update) CONTINUO_RETURN_IF_ERROR(Pack());
  const LayerPass layer_pass = MakeLayerPass(pass);
  const LayerInput inputs = {.sparse = &batch->inputs};
  LayerInput output;
  CONTINUO_RETURN_IF_ERROR(
      layers.body->Forward(layer_pass, inputs, &output.dense));
  CONTINUO_RETURN_IF_ERROR(layers.logits->Forward(stream(), weights(), output,
                                                  Rows(logits, events())));
  CONTINUO_RETURN_IF_ERROR(Loss(pass));
  if (pass.gradient) {
    CONTINUO_RETURN_IF_ERROR(Zero(stream(), {.x = gradient}));
    const TensorView above = Rows(doutput, events());
    CONTINUO_RETURN_IF_ERROR(layers.logits->Backward(
        layer_pass, output, Rows(dlogits, events()), /*bias=*/true, above,
        /*add=*/false));
    CONTINUO_RETURN_IF_ERROR(layers.body->Backward(
        layer_pass, inputs, above, TensorView(), /*add=*/false));
  }
  if (pass.update) CONTINUO_RETURN_IF_ERROR(Update(pass));
  return absl::OkStatus();
}

// The first batch of a shape runs operation by operation, which is cheaper than
// recording what may never come again and has all kernels loaded; the second
// one is recorded.
absl::Status EventRnnTrainer::State::RunRecorded(const Pass& pass) {
  if (graphs_generation != batch->generation() || graphs.size() >= kMaxGraphs) {
    graphs.clear();
    graphs_generation = batch->generation();
  }
  const auto [entry, first] =
      graphs.try_emplace({pass, batch->shape()}, std::nullopt);
  if (first) return Operations(pass);
  std::optional<Graph>& graph = entry->second;
  if (!graph.has_value()) {
    CONTINUO_ASSIGN_OR_RETURN(
        graph, Graph::Capture(stream(), [&] { return Operations(pass); }));
    ++num_recordings;
    LogDebug("recorded a ", pass.update ? "training step" : "pass", " for ",
             batch->shape().rows, " sequences of up to ", batch->shape().steps,
             " and ", batch->shape().events, " events in all");
  }
  return graph->Launch(stream());
}

absl::Status EventRnnTrainer::State::ReadResults() {
  CONTINUO_RETURN_IF_ERROR(
      CopyBytes(stream(), results.all.raw, host_results.all.raw,
                results.all.num_elements() * DTypeSize(results.all.dtype)));
  return Synchronize(stream());
}

absl::Status EventRnnTrainer::State::Run(const PackedBatch& input,
                                         const Pass& pass,
                                         const StepScalars& scalars) {
  CONTINUO_RETURN_IF_ERROR(CheckBatch(input, rnn->spec()));
  if (input.num_rows() > max_rows || input.num_events() > max_events) {
    CONTINUO_RETURN_IF_ERROR(PlanBatch(input.num_rows(), input.num_events()));
  }
  recorded = CanRecord(input);
  CONTINUO_RETURN_IF_ERROR(batch->Load(input, recorded, scalars));
  if (!recorded) {
    CONTINUO_RETURN_IF_ERROR(
        layers.body->PrepareBatch(MakeLayerPass(pass), !inference_only));
  }
  if (packed_version != rnn->version() && !(recorded && pass.update)) {
    CONTINUO_RETURN_IF_ERROR(Pack());
  }
  CONTINUO_RETURN_IF_ERROR(recorded ? RunRecorded(pass) : Operations(pass));
  if (pass.update) rnn->MarkChanged();
  return ReadResults();
}

void EventRnnTrainer::State::AddLoss(const PackedBatch& input,
                                     LossSums* sums) const {
  const int classes = rnn->spec().num_classes();
  const int64_t* counts = host_results.counts.data<int64_t>();
  sums->cross_entropy += *host_results.cross_entropy.data<double>();
  sums->labels += static_cast<int64_t>(input.labels.size());
  sums->correct += counts[1] + counts[3];
  sums->event_labels += counts[0];
  sums->event_correct += counts[1];
  sums->no_event_labels += counts[2];
  sums->no_event_correct += counts[3];
  sums->class_labels.resize(classes);
  sums->class_correct.resize(classes);
  for (int c = 0; c < classes; ++c) {
    sums->class_labels[c] += host_results.class_labels.data<int64_t>()[c];
    sums->class_correct[c] += host_results.class_correct.data<int64_t>()[c];
  }
}

double EventRnnTrainer::State::GradientNorm() const {
  const TensorView& squares = host_results.squared_norms;
  double total = 0;
  for (int64_t i = 0; i < squares.num_elements(); ++i) {
    total += squares.data<double>()[i];
  }
  return std::sqrt(total);
}

}  // namespace continuo
