// SPDX-License-Identifier: Apache-2.0

#include "models/model_file/tf_variable_names.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace continuo {
namespace {

struct Renamed {
  absl::string_view old_part;
  absl::string_view part;  // empty: left out
};

// Parts of names in TensorFlow 0.x.
constexpr Renamed kRenamed[] = {
    {"RNN", "rnn"},
    {"MultiRNNCell", "multi_rnn_cell"},
    {"BasicLSTMCell", "basic_lstm_cell"},
    {"AttentionCellWrapper", "attention_cell_wrapper"},
    {"Attention", "attention"},
    {"AttnOutputProjection", "attn_output_projection"},
    {"InputProjectionWrapper", "input_projection_wrapper"},
    {"Linear", ""},
    {"Matrix", "kernel"},
    {"Bias", "bias"},
    {"AttnW", "attn_w"},
    {"AttnV", "attn_v"},
};

std::string CurrentPart(absl::string_view part) {
  for (const Renamed& renamed : kRenamed) {
    if (part == renamed.old_part) return std::string(renamed.part);
  }
  int layer = 0;
  if (absl::StartsWith(part, "Cell") &&
      absl::SimpleAtoi(part.substr(4), &layer)) {
    return absl::StrCat("cell_", layer);
  }
  return std::string(part);
}

}  // namespace

std::string CurrentVariableName(absl::string_view name) {
  for (const absl::string_view slot : {"/Adam", "/Adam_1"}) {
    if (!absl::EndsWith(name, slot)) continue;
    return absl::StrCat(CurrentVariableName(absl::StripSuffix(name, slot)),
                        slot);
  }
  std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts[0] == "RNN") {
    std::vector<std::string> current;
    for (const std::string& part : parts) {
      std::string renamed = CurrentPart(part);
      if (!renamed.empty()) current.push_back(std::move(renamed));
    }
    return absl::StrJoin(current, "/");
  }
  if (parts[0] == "rnn") {
    if (parts.back() == "weights") parts.back() = "kernel";
    if (parts.back() == "biases") parts.back() = "bias";
  }
  return absl::StrJoin(parts, "/");
}

absl::StatusOr<TensorMap> WithCurrentNames(TensorMap tensors,
                                           absl::string_view where) {
  TensorMap current;
  for (auto& [name, tensor] : tensors) {
    const std::string renamed = CurrentVariableName(name);
    if (!current.emplace(renamed, std::move(tensor)).second) {
      return absl::DataLossError(absl::StrCat(
          where, ": tensor ", name, ": there is another one for ", renamed));
    }
  }
  return current;
}

}  // namespace continuo
