// SPDX-License-Identifier: Apache-2.0

#include "models/network/event_rnn.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

namespace continuo {

struct EventRnn::State {
  NetworkSpec spec;
  Stream stream;
  std::vector<Parameter> parameters;
  std::unique_ptr<Arena> arena;
  TensorView weights;  // [flat]
  uint64_t version = 0;
};

absl::StatusOr<std::unique_ptr<EventRnn>> EventRnn::Create(
    const NetworkSpec& spec, const Stream& stream) {
  if (spec.input_size < 1 || spec.layer_sizes.empty() ||
      spec.head_sizes.empty() || spec.attn_length < 0) {
    return absl::InvalidArgumentError(
        "a network needs inputs, at least one layer (rnn_layer_sizes), at "
        "least one class and an attn_length of 0 or more");
  }
  if (spec.cell != Cell::kLstm) {
    const absl::string_view name = KindOf(spec.cell).name;
    if (spec.attn_length > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("cell=", name,
                       ": attention is around LSTM cells alone; give "
                       "attn_length=0"));
    }
    if (LstmUsesCudnn(stream)) {
      return absl::InvalidArgumentError(
          absl::StrCat("cell=", name,
                       ": only layers of LSTM cells are computed by cuDNN; "
                       "use `rnn_backend`=fused"));
    }
  }
  // The dropout counter has room for that many units and layers.
  constexpr int kMaxUnits = 1 << 14;
  constexpr int kMaxLayers = 255;
  for (int size : spec.layer_sizes) {
    if (size >= 1 && size <= kMaxUnits) continue;
    return absl::InvalidArgumentError(absl::StrCat("rnn_layer_sizes holds ",
                                                   size, "; a layer has 1 to ",
                                                   kMaxUnits, " units"));
  }
  if (spec.layer_sizes.size() > kMaxLayers) {
    return absl::InvalidArgumentError(
        absl::StrCat("rnn_layer_sizes names ", spec.layer_sizes.size(),
                     " layers; at most ", kMaxLayers, " are possible"));
  }
  if (spec.default_label.size() != spec.head_sizes.size()) {
    return absl::InvalidArgumentError("one default label per head expected");
  }
  auto state = std::make_unique<State>();
  state->spec = spec;
  state->stream = stream;
  state->parameters = NetworkParameters(spec);
  state->arena = std::make_unique<Arena>(stream.device);
  const int64_t flat_size = FlatSize(state->parameters);
  state->arena->Allocate<float>("weights", {flat_size});
  CONTINUO_RETURN_IF_ERROR(state->arena->Commit());
  state->weights = state->arena->Allocate<float>("weights", {flat_size});
  return std::unique_ptr<EventRnn>(new EventRnn(std::move(state)));
}

EventRnn::EventRnn(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventRnn::~EventRnn() = default;

const NetworkSpec& EventRnn::spec() const { return state_->spec; }
const Stream& EventRnn::stream() const { return state_->stream; }
absl::Span<const Parameter> EventRnn::parameters() const {
  return state_->parameters;
}
int64_t EventRnn::flat_size() const { return state_->weights.num_elements(); }
float* EventRnn::device_weights() const {
  return state_->weights.data<float>();
}
void EventRnn::MarkChanged() { ++state_->version; }
uint64_t EventRnn::version() const { return state_->version; }

absl::Status EventRnn::SetWeights(absl::Span<const float> flat) {
  if (static_cast<int64_t>(flat.size()) != flat_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the network has ", flat_size(), " weights, not ", flat.size()));
  }
  MarkChanged();
  return CopyAndWait(stream(), TensorView(flat.data(), {flat_size()}),
                     state_->weights);
}

absl::Status EventRnn::GetWeights(absl::Span<float> flat) const {
  if (static_cast<int64_t>(flat.size()) != flat_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the network has ", flat_size(), " weights, not ", flat.size()));
  }
  return CopyAndWait(stream(), state_->weights,
                     TensorView(flat.data(), {flat_size()}));
}

}  // namespace continuo
