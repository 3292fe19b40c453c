#include "generate/infer_network.h"

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "data/proto/metagraph.pb.h"
#include "runtime/status.h"

namespace continuo {
namespace {

std::string LayerPrefix(size_t layer) {
  return absl::StrCat("rnn/multi_rnn_cell/cell_", layer, "/");
}

// The first tensor that is called `prefix` + anything + `suffix`.
const TensorMap::value_type* FindTensor(const TensorMap& tensors,
                                        absl::string_view prefix,
                                        absl::string_view suffix) {
  for (auto it = tensors.lower_bound(std::string(prefix));
       it != tensors.end() && absl::StartsWith(it->first, prefix); ++it) {
    if (absl::EndsWith(it->first, suffix)) return &*it;
  }
  return nullptr;
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

}  // namespace

absl::StatusOr<NetworkShape> InferNetworkShape(const TensorMap& tensors,
                                               absl::string_view name) {
  NetworkShape shape;
  for (;;) {
    const std::string prefix = LayerPrefix(shape.layer_sizes.size());
    const auto* bias = FindTensor(tensors, prefix, "/basic_lstm_cell/bias");
    if (bias == nullptr) break;
    const std::vector<int64_t>& dims = bias->second.shape;
    // Four gates in one bias.
    if (dims.size() != 1 || dims[0] < 4 || dims[0] % 4 != 0 ||
        dims[0] > std::numeric_limits<int>::max()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": tensor ", bias->first, " has shape ",
                       ShapeText(dims), ", expected four times a layer size"));
    }
    shape.layer_sizes.push_back(static_cast<int>(dims[0] / 4));
  }
  if (shape.layer_sizes.empty()) {
    const bool legacy =
        !tensors.empty() && FindTensor(tensors, "RNN/", "") != nullptr;
    return absl::InvalidArgumentError(absl::StrCat(
        name, legacy ? ": a graph of TensorFlow 0.x (variables RNN/...), which "
                       "cannot be read; use a model of a later release"
                     : ": holds no variable of an event network "
                       "(rnn/multi_rnn_cell/cell_0/.../basic_lstm_cell/bias)"));
  }
  const std::string first = LayerPrefix(0);
  shape.attention = FindTensor(tensors, first, "/attention/attn_v") != nullptr;
  shape.residual_connections =
      FindTensor(tensors, absl::StrCat(first, "input_projection_wrapper/"),
                 "") != nullptr;
  return shape;
}

absl::StatusOr<int> InferAttentionLength(const std::string& metagraph,
                                         int layer_size,
                                         absl::string_view name) {
  tensorflow::MetaGraphDef graph;
  const absl::Status unknown = absl::InvalidArgumentError(
      absl::StrCat(name,
                   ": its meta graph does not tell the length of the attention "
                   "window (collection initial_state)"));
  if (!graph.ParseFromString(metagraph)) return unknown;
  const auto states = graph.collection_def().find("initial_state");
  if (states == graph.collection_def().end()) return unknown;
  // In the order c, h, attention vector, window; layer 0 comes first.
  constexpr int kWindow = 3;
  const auto& names = states->second.node_list().value();
  if (names.size() <= kWindow) return unknown;
  const absl::string_view node_name = absl::StripSuffix(names[kWindow], ":0");
  for (const tensorflow::NodeDef& node : graph.graph_def().node()) {
    if (node.name() != node_name) continue;
    const auto shapes = node.attr().find("_output_shapes");
    if (shapes == node.attr().end() ||
        shapes->second.list().shape_size() != 1 ||
        shapes->second.list().shape(0).dim_size() != 2) {
      return unknown;
    }
    const int64_t width = shapes->second.list().shape(0).dim(1).size();
    if (width < layer_size || width % layer_size != 0 ||
        width / layer_size > std::numeric_limits<int>::max()) {
      return unknown;
    }
    return static_cast<int>(width / layer_size);
  }
  return unknown;
}

}  // namespace continuo
