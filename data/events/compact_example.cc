// SPDX-License-Identifier: Apache-2.0

#include "data/events/compact_example.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "data/events/encoding_name.h"
#include "data/events/performance/control_runs.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Bounds what a record from outside makes of each of its bytes: up to 45
// entries of inputs. Two thousand times the longest example of a data set.
constexpr int64_t kMaxEvents = int64_t{1} << 20;

std::unique_ptr<EventEncoder> WithoutControls(EncodingSpec spec) {
  spec.controls = {};
  return MakeEventEncoder(spec);
}

std::string MadeBy(Encoding encoding) {
  switch (encoding) {
    case Encoding::kOneHotMelody:
    case Encoding::kLookbackMelody:
    case Encoding::kKeyMelody:
      return "melody_rnn_create_dataset";
    case Encoding::kOneDrum:
    case Encoding::kDrumKit:
      return "drums_rnn_create_dataset";
    case Encoding::kPerformance:
    case Encoding::kCompactPerformance:
    case Encoding::kModuloPerformance:
    case Encoding::kNoteTuples:
      break;
  }
  return "performance_rnn_create_dataset";
}

bool SameRow(const SparseRows& a, int row_a, const SparseRows& b, int row_b) {
  const int32_t begin_a = a.row_begin[row_a];
  const int32_t end_a = a.row_begin[row_a + 1];
  const int32_t begin_b = b.row_begin[row_b];
  return end_a - begin_a == b.row_begin[row_b + 1] - begin_b &&
         std::equal(a.index.begin() + begin_a, a.index.begin() + end_a,
                    b.index.begin() + begin_b) &&
         std::equal(a.value.begin() + begin_a, a.value.begin() + end_a,
                    b.value.begin() + begin_b);
}

// The first row in which two lists of equally many rows differ, or -1.
int FirstDifference(const SparseRows& a, const SparseRows& b) {
  for (int row = 0; row < a.rows(); ++row) {
    if (!SameRow(a, row, b, row)) return row;
  }
  return -1;
}

}  // namespace

CompactCodec::CompactCodec(const EncodingSpec& spec)
    : spec_(spec),
      encoding_(EncodingName(spec)),
      encoder_(WithoutControls(spec)) {
  if (encoder_->num_heads() != 1) return;
  for (int64_t label = 0; label < encoder_->num_classes(); ++label) {
    const Event event = encoder_->DecodeLabel({&label, 1}, {});
    CONTINUO_CHECK(
        encoder_->EncodeInputs({&event, 1}, 0, 1, &first_rows_).ok());
  }
}

std::vector<Event> CompactCodec::Events(
    absl::Span<const int64_t> labels) const {
  const auto heads = static_cast<size_t>(encoder_->num_heads());
  std::vector<Event> events;
  events.reserve(labels.size() / heads);
  for (size_t i = 0; i < labels.size(); i += heads) {
    events.push_back(encoder_->DecodeLabel(labels.subspan(i, heads), events));
  }
  return events;
}

absl::Status CompactCodec::CheckLabels(absl::Span<const int64_t> labels) const {
  const absl::Span<const int> sizes = encoder_->head_sizes();
  for (size_t i = 0; i < labels.size(); ++i) {
    const int size = sizes[i % sizes.size()];
    if (labels[i] < 0 || labels[i] >= size) {
      return absl::DataLossError(absl::StrCat("label ", labels[i], ", but ",
                                              encoding_, " has the classes 0..",
                                              size - 1));
    }
  }
  return absl::OkStatus();
}

std::vector<std::vector<int64_t>> CompactCodec::FirstLabels(
    const SparseRows& rows) const {
  std::vector<std::vector<int64_t>> found;
  if (encoder_->num_heads() == 1) {
    for (int label = 0; label < first_rows_.rows(); ++label) {
      if (SameRow(first_rows_, label, rows, 0)) found.push_back({label});
    }
    return found;
  }
  // With several heads a row is the one-hot of one head after another.
  const absl::Span<const int> sizes = encoder_->head_sizes();
  if (rows.row_begin[1] - rows.row_begin[0] !=
      static_cast<int32_t>(sizes.size())) {
    return found;
  }
  std::vector<int64_t> label;
  int column = 0;
  for (size_t head = 0; head < sizes.size(); ++head) {
    label.push_back(rows.index[rows.row_begin[0] + head] - column);
    if (label.back() < 0 || label.back() >= sizes[head]) return found;
    column += sizes[head];
  }
  found.push_back(std::move(label));
  return found;
}

absl::StatusOr<CompactExample> CompactCodec::Encode(
    const EncodedSequence& example) const {
  CONTINUO_CHECK(example.inputs.rows() >= 1);
  if (example.inputs.rows() >= kMaxEvents) {
    return absl::InvalidArgumentError(absl::StrCat(
        example.inputs.rows(), " steps, but a compact example has ",
        kMaxEvents - 1, " at most"));
  }
  CompactExample record;
  record.set_encoding(encoding_);
  SparseRows taken;
  const SparseRows* inputs = &example.inputs;
  if (spec_.controls.any()) {
    CONTINUO_ASSIGN_OR_RETURN(
        *record.mutable_controls(),
        TakeControls(spec_.controls, example.inputs, &taken));
    inputs = &taken;
  }
  CONTINUO_RETURN_IF_ERROR(CheckLabels(example.labels));
  int step = 0;
  // Melodies that begin with silence have several, which later rows may tell
  // apart.
  for (std::vector<int64_t>& labels : FirstLabels(*inputs)) {
    labels.insert(labels.end(), example.labels.begin(), example.labels.end());
    SparseRows made;
    CONTINUO_RETURN_IF_ERROR(
        encoder_->EncodeInputs(Events(labels), 0, inputs->rows(), &made));
    const int difference = FirstDifference(made, *inputs);
    if (difference < 0) {
      record.mutable_labels()->Add(labels.begin(), labels.end());
      return record;
    }
    step = std::max(step, difference);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("inputs at step ", step, ": not what ", encoding_,
                   " makes of the labels, so there is no compact form"));
}

absl::Status CompactCodec::Decode(const CompactExample& record,
                                  absl::string_view where,
                                  absl::string_view config,
                                  EncodedSequence* example) const {
  if (record.encoding() != encoding_) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": an example of the encoding ",
        absl::CHexEscape(record.encoding().substr(0, 80)), ", but ", config,
        " has ", encoding_,
        "; create the data set with the same `config` as the training"));
  }
  const auto heads = static_cast<int64_t>(encoder_->num_heads());
  const int64_t count = record.labels_size() / heads;
  if (record.labels_size() != count * heads || count < 2 ||
      count > kMaxEvents || record.has_controls() != spec_.controls.any()) {
    return absl::DataLossError(
        absl::StrCat(where, ": a damaged compact example of ", encoding_));
  }
  const std::vector<int64_t> labels(record.labels().begin(),
                                    record.labels().end());
  CONTINUO_RETURN_IF_ERROR(Annotate(CheckLabels(labels), where));
  SparseRows made;
  SparseRows& inputs = spec_.controls.any() ? made : example->inputs;
  inputs.Clear();
  CONTINUO_RETURN_IF_ERROR(
      Annotate(encoder_->EncodeInputs(Events(labels), 0,
                                      static_cast<int>(count) - 1, &inputs),
               where));
  if (spec_.controls.any()) {
    CONTINUO_RETURN_IF_ERROR(Annotate(
        PutControls(spec_.controls, record.controls(), made, &example->inputs),
        where));
  }
  example->labels.assign(labels.begin() + heads, labels.end());
  return absl::OkStatus();
}

ExampleFormat MakeExampleFormat(const EncodingSpec& spec, std::string config) {
  const std::unique_ptr<EventEncoder> encoder = MakeEventEncoder(spec);
  return {.input_size = encoder->input_size(),
          .head_sizes = {encoder->head_sizes().begin(),
                         encoder->head_sizes().end()},
          .index_inputs = encoder->index_inputs(),
          .config = std::move(config),
          .made_by = MadeBy(spec.encoding),
          .compact = std::make_shared<CompactCodec>(spec)};
}

}  // namespace continuo
