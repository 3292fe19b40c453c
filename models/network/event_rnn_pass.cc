// A pass over a batch: checks it, puts it on the device, runs the operations or
// their recording, and reads the results.

#include <cmath>

#include "absl/strings/str_cat.h"
#include "kernels/layers/elementwise.h"
#include "kernels/layers/optimizer.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "kernels/lstm/lstm_form.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

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
  CONTINUO_RETURN_IF_ERROR(PackNetwork(stream(), plan, weights(), packs));
  packed_version = rnn->version();
  return absl::OkStatus();
}

// Whether all operations of a pass can be recorded: those that launch once a
// step would be recorded for one layout.
bool EventRnnTrainer::State::CanRecord(const PackedBatch& input) const {
  if (stream().device.type == DeviceType::kCpu) return false;
  if (plan.stack.has_value()) return false;
  const BatchShape shape = BucketShape(input);
  for (const LayerPlan& layer : plan.layers) {
    // cuDNN takes the rows' lengths from the host.
    if (UsesCudnn(layer)) return false;
    if (!layer.attention &&
        LstmLaunchesPerStep(
            stream(),
            {.rows = shape.rows, .steps = shape.steps, .units = layer.units})) {
      return false;
    }
  }
  return true;
}

absl::Status EventRnnTrainer::State::Update(const Pass& pass) {
  const int64_t flat = rnn->flat_size();
  return ClipAdam(stream(), {.tensor_begin = tensor_begin,
                             .gradient = gradient,
                             .weights = TensorView(weights(), {flat}),
                             .m = m,
                             .v = v,
                             .clip_norm = pass.clip_norm,
                             .rate = batch->rate,
                             .beta1 = pass.beta1,
                             .beta2 = pass.beta2,
                             .epsilon = pass.epsilon,
                             .squared_norms = results.squared_norms,
                             .scratch = adam_scratch});
}

absl::Status EventRnnTrainer::State::Operations(const Pass& pass) {
  // Zero bits are zeros of every type.
  CONTINUO_RETURN_IF_ERROR(
      Zero(stream(), {.x = TensorView(static_cast<float*>(results.all.raw),
                                      {2 * results.all.num_elements()})}));
  // A recorded update changes the weights of each of its runs.
  if (recorded && pass.update) CONTINUO_RETURN_IF_ERROR(Pack());
  CONTINUO_RETURN_IF_ERROR(Forward(pass));
  CONTINUO_RETURN_IF_ERROR(Loss(pass));
  if (pass.gradient) CONTINUO_RETURN_IF_ERROR(Backward(pass));
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
  if (LstmUsesCudnn(stream())) CONTINUO_RETURN_IF_ERROR(PlanCudnn());
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
