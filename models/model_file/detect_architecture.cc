// SPDX-License-Identifier: Apache-2.0

#include "models/model_file/detect_architecture.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "data/proto/metagraph.pb.h"
#include "models/config/hparams.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr char kStackScope[] = "rnn/attention_cell_wrapper/";

std::string LayerPrefix(bool around_stack, size_t layer) {
  return absl::StrCat(around_stack ? kStackScope : "rnn/",
                      "multi_rnn_cell/cell_", layer, "/");
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

// Dimension `dim` of the tensor, 0 if there is none of `rank` dimensions.
int64_t Dimension(const TensorMap::value_type* tensor, size_t rank,
                  size_t dim) {
  if (tensor == nullptr || tensor->second.shape.size() != rank) return 0;
  return tensor->second.shape[dim];
}

// The columns of the input, from the first kernel that they meet.
int64_t InputSize(const TensorMap& tensors, const NetworkShape& shape) {
  if (shape.attention_around_stack) {
    const auto kernel =
        FindTensor(tensors, absl::StrCat(kStackScope, "kernel"), "kernel");
    return Dimension(kernel, 2, 1);
  }
  const std::string first = LayerPrefix(false, 0);
  if (shape.residual_connections) {
    const std::string scope = absl::StrCat(first, "input_projection_wrapper/");
    return Dimension(FindTensor(tensors, absl::StrCat(scope, "kernel"), ""), 2,
                     0);
  }
  if (shape.attention) {
    const std::string scope = absl::StrCat(first, "attention_cell_wrapper/");
    return Dimension(FindTensor(tensors, absl::StrCat(scope, "kernel"), ""), 2,
                     1);
  }
  const std::string kernel =
      absl::StrCat(first, KindOf(shape.cell).scope, "kernel");
  const int64_t rows = Dimension(FindTensor(tensors, kernel, ""), 2, 0);
  return std::max<int64_t>(0, rows - shape.layer_sizes[0]);
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

}  // namespace

absl::StatusOr<NetworkShape> DetectArchitecture(const TensorMap& tensors,
                                                absl::string_view name) {
  NetworkShape shape;
  shape.attention_around_stack =
      tensors.count(absl::StrCat(kStackScope, "attention/attn_v")) > 0;
  for (const CellKind& kind : Cells()) {
    const std::string first = LayerPrefix(shape.attention_around_stack, 0);
    const std::string suffix = absl::StrCat("/", kind.scope, "bias");
    if (FindTensor(tensors, first, suffix) == nullptr) continue;
    shape.cell = kind.cell;
    break;
  }
  for (;;) {
    const std::string prefix =
        LayerPrefix(shape.attention_around_stack, shape.layer_sizes.size());
    const auto* bias = FindTensor(
        tensors, prefix, absl::StrCat("/", KindOf(shape.cell).scope, "bias"));
    if (bias == nullptr) break;
    const std::vector<int64_t>& dims = bias->second.shape;
    // All gates in one bias.
    const int gates = KindOf(shape.cell).gates;
    if (dims.size() != 1 || dims[0] < gates || dims[0] % gates != 0 ||
        dims[0] > int64_t{gates} * kMaxLayerSize ||
        shape.layer_sizes.size() == kMaxLayers) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": tensor ", bias->first, " has shape ", ShapeText(dims),
          ", expected ", gates, " times a layer size of at most ",
          kMaxLayerSize, ", in at most ", kMaxLayers, " layers"));
    }
    shape.layer_sizes.push_back(static_cast<int>(dims[0] / gates));
  }
  if (shape.layer_sizes.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name,
                     ": holds no variable of an event network "
                     "(rnn/multi_rnn_cell/cell_0/.../basic_lstm_cell/bias)"));
  }
  if (shape.attention_around_stack) {
    shape.attention = true;
  } else {
    const std::string first = LayerPrefix(false, 0);
    shape.attention =
        FindTensor(tensors, first, "/attention/attn_v") != nullptr;
    shape.residual_connections =
        FindTensor(tensors, absl::StrCat(first, "input_projection_wrapper/"),
                   "") != nullptr;
  }
  if (shape.attention && shape.cell != Cell::kLstm) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": holds the variables of attention around cells of ",
        KindOf(shape.cell).name, ", of which there are none"));
  }
  shape.input_size = InputSize(tensors, shape);
  shape.num_classes =
      Dimension(FindTensor(tensors, "fully_connected/biases", ""), 1, 0);
  return shape;
}

namespace {

// The columns of a state tensor [batch, columns], -1 if the node does not say:
// graphs are stored with the shapes of all outputs, and a constant or a
// placeholder tells its own.
int64_t StateColumns(const tensorflow::NodeDef& node) {
  const auto columns = [](const tensorflow::TensorShapeProto& shape) {
    return shape.dim_size() == 2 ? shape.dim(1).size() : int64_t{-1};
  };
  auto attr = node.attr().find("_output_shapes");
  if (attr != node.attr().end() && attr->second.list().shape_size() == 1) {
    return columns(attr->second.list().shape(0));
  }
  attr = node.attr().find("shape");
  if (attr != node.attr().end()) return columns(attr->second.shape());
  attr = node.attr().find("value");
  if (attr == node.attr().end()) return -1;
  return columns(attr->second.tensor().tensor_shape());
}

}  // namespace

absl::StatusOr<int> DetectAttentionLength(const std::string& metagraph,
                                          const NetworkShape& shape,
                                          absl::string_view name) {
  CONTINUO_CHECK(!shape.layer_sizes.empty());
  tensorflow::MetaGraphDef graph;
  const absl::Status unknown = absl::InvalidArgumentError(
      absl::StrCat(name,
                   ": its meta graph does not tell the length of the attention "
                   "window (collection initial_state)"));
  if (!graph.ParseFromString(metagraph)) return unknown;
  const auto states = graph.collection_def().find("initial_state");
  if (states == graph.collection_def().end()) return unknown;
  const auto& names = states->second.node_list().value();
  // In the order c, h, attention vector, window, layer 0 first; with attention
  // around the stack, the last two are the last ones; or all are one tensor.
  int window = 3;
  int64_t before = 0;  // columns before the window
  int64_t units = shape.layer_sizes[0];
  if (shape.attention_around_stack) {
    units = shape.layer_sizes.back();
    window = names.size() - 1;
    if (window == 0) {
      before = units;
      for (int size : shape.layer_sizes) before += 2 * int64_t{size};
    }
  }
  if (window < 0 || window >= names.size()) return unknown;
  const absl::string_view node_name = absl::StripSuffix(names[window], ":0");
  for (const tensorflow::NodeDef& node : graph.graph_def().node()) {
    if (node.name() != node_name) continue;
    const int64_t width = StateColumns(node) - before;
    if (width < units || width % units != 0 ||
        width / units > kMaxAttentionLength) {
      return unknown;
    }
    return static_cast<int>(width / units);
  }
  return unknown;
}

}  // namespace continuo
