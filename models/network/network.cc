#include "models/network/network.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

// Elements between the starts of two tensors are a multiple of this: 64 bytes.
constexpr int64_t kAlignment = 16;

int64_t AlignUp(int64_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

// Collects parameters in order and hands out their places.
struct Builder {
  std::vector<Parameter> parameters;
  int64_t end = 0;

  void Add(std::string name, Shape shape, int fan_in, int fan_out) {
    const int64_t size = shape.num_elements();
    parameters.push_back({.name = std::move(name),
                          .shape = shape,
                          .offset = end,
                          .size = size,
                          .fan_in = fan_in,
                          .fan_out = fan_out});
    end += AlignUp(size);
  }

  // A dense layer: weights [in, out] and zero biases [out].
  void AddDense(const std::string& weights, const std::string& biases, int in,
                int out) {
    Add(weights, {in, out}, in, out);
    Add(biases, {out}, 0, 0);
  }

  void AddKernel(const std::string& scope, int in, int out) {
    AddDense(absl::StrCat(scope, "kernel"), absl::StrCat(scope, "bias"), in,
             out);
  }
};

}  // namespace

int NetworkSpec::num_classes() const {
  int total = 0;
  for (int size : head_sizes) total += size;
  return total;
}

NetworkSpec MakeNetworkSpec(const EventEncoder& encoder,
                            const Hparams& hparams) {
  NetworkSpec spec;
  spec.input_size = encoder.input_size();
  spec.head_sizes.assign(encoder.head_sizes().begin(),
                         encoder.head_sizes().end());
  spec.default_label.assign(encoder.default_label().begin(),
                            encoder.default_label().end());
  spec.layer_sizes = hparams.rnn_layer_sizes;
  spec.attn_length = hparams.attn_length;
  spec.residual_connections = hparams.residual_connections;
  spec.attention_around_stack = hparams.attention_around_stack;
  return spec;
}

namespace {

// Attention around the stack: wrapper, layers, attention, output.
std::vector<Parameter> StackAttentionParameters(const NetworkSpec& spec) {
  CONTINUO_CHECK(spec.attn_length > 0 && !spec.residual_connections);
  Builder builder;
  const std::string scope = "rnn/attention_cell_wrapper/";
  const int n = spec.layer_sizes.back();
  builder.AddKernel(scope, spec.input_size + n, spec.input_size);
  int in = spec.input_size;
  int state = 0;
  for (size_t layer = 0; layer < spec.layer_sizes.size(); ++layer) {
    const int units = spec.layer_sizes[layer];
    builder.AddKernel(
        absl::StrCat(scope, "multi_rnn_cell/cell_", layer, "/basic_lstm_cell/"),
        in + units, 4 * units);
    state += 2 * units;
    in = units;
  }
  builder.Add(absl::StrCat(scope, "attention/attn_w"), {1, 1, n, n}, n, n);
  builder.Add(absl::StrCat(scope, "attention/attn_v"), {n}, n, n);
  builder.AddKernel(absl::StrCat(scope, "attention/"), state, n);
  builder.AddKernel(absl::StrCat(scope, "attn_output_projection/"), 2 * n, n);
  builder.AddDense("fully_connected/weights", "fully_connected/biases", n,
                   spec.num_classes());
  return std::move(builder.parameters);
}

}  // namespace

std::vector<Parameter> NetworkParameters(const NetworkSpec& spec) {
  if (spec.attention_around_stack) return StackAttentionParameters(spec);
  Builder builder;
  int in = spec.input_size;
  for (size_t layer = 0; layer < spec.layer_sizes.size(); ++layer) {
    const int n = spec.layer_sizes[layer];
    std::string scope = absl::StrCat("rnn/multi_rnn_cell/cell_", layer, "/");
    if (spec.residual_connections && (layer == 0 || in != n)) {
      absl::StrAppend(&scope, "input_projection_wrapper/");
      builder.AddKernel(scope, in, n);
      in = n;
    }
    const bool attention = spec.attn_length > 0 && layer == 0;
    if (attention) {
      absl::StrAppend(&scope, "attention_cell_wrapper/");
      builder.AddKernel(scope, in + n, in);
    }
    builder.AddKernel(absl::StrCat(scope, "basic_lstm_cell/"), in + n, 4 * n);
    if (attention) {
      builder.Add(absl::StrCat(scope, "attention/attn_w"), {1, 1, n, n}, n, n);
      builder.Add(absl::StrCat(scope, "attention/attn_v"), {n}, n, n);
      builder.AddKernel(absl::StrCat(scope, "attention/"), 2 * n, n);
      builder.AddKernel(absl::StrCat(scope, "attn_output_projection/"), 2 * n,
                        n);
    }
    in = n;
  }
  builder.AddDense("fully_connected/weights", "fully_connected/biases", in,
                   spec.num_classes());
  return std::move(builder.parameters);
}

int64_t FlatSize(absl::Span<const Parameter> parameters) {
  if (parameters.empty()) return 0;
  return AlignUp(parameters.back().offset + parameters.back().size);
}

void InitializeParameters(absl::Span<const Parameter> parameters, uint64_t seed,
                          absl::Span<float> flat) {
  CONTINUO_CHECK(static_cast<int64_t>(flat.size()) == FlatSize(parameters));
  for (float& weight : flat) weight = 0;
  for (size_t p = 0; p < parameters.size(); ++p) {
    const Parameter& parameter = parameters[p];
    const int fans = parameter.fan_in + parameter.fan_out;
    if (fans == 0) continue;
    const double limit = std::sqrt(6.0 / fans);
    for (int64_t i = 0; i < parameter.size; ++i) {
      const double uniform =
          RandomDouble(seed, RandomPurpose::kInitialWeights, p, i);
      flat[parameter.offset + i] =
          static_cast<float>(limit * (2.0 * uniform - 1.0));
    }
  }
}

}  // namespace continuo
