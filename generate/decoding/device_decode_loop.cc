// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/device_decode_loop.h"

#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "generate/decoding/input_feedback_tables.h"
#include "kernels/layers/elementwise.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// No row that could not be sampled.
constexpr int32_t kNoRow = std::numeric_limits<int32_t>::max();

}  // namespace

DeviceDecodeLoop::DeviceDecodeLoop(
    EventRnnDecoder* decoder, const Stream& stream, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    const UniformSource& uniforms, const GenerateHooks& hooks, int64_t max_rows,
    int chunk_steps)
    : decoder_(decoder),
      stream_(stream),
      encoder_(encoder),
      requests_(requests),
      options_(options),
      uniforms_(uniforms),
      hooks_(hooks),
      max_rows_(max_rows),
      chunk_steps_(chunk_steps),
      batch_(stream.pool, encoder, requests, options, hooks),
      heads_(encoder.num_heads()),
      classes_(encoder.num_classes()),
      hypotheses_(batch_.hypotheses_per_search()),
      tables_(stream),
      upload_(stream) {}

absl::StatusOr<std::unique_ptr<DeviceDecodeLoop>> DeviceDecodeLoop::Create(
    EventRnnDecoder* decoder, const Stream& stream, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    const UniformSource& uniforms, const GenerateHooks& hooks, int64_t max_rows,
    int chunk_steps) {
  const std::optional<InputFeedbackSpec> spec = encoder.InputFeedback();
  CONTINUO_CHECK(spec.has_value() && chunk_steps >= 1);
  std::unique_ptr<DeviceDecodeLoop> loop(
      new DeviceDecodeLoop(decoder, stream, encoder, requests, options,
                           uniforms, hooks, max_rows, chunk_steps));
  loop->device_arena_ = std::make_unique<Arena>(stream.device);
  loop->pinned_arena_ =
      std::make_unique<Arena>(stream.device, MemoryKind::kPinned);
  CONTINUO_RETURN_IF_ERROR(loop->UploadTables(*spec));
  Arena* const device = loop->device_arena_.get();
  Arena* const pinned = loop->pinned_arena_.get();
  loop->Allocate(device, pinned);
  for (Arena* arena : {device, pinned}) {
    CONTINUO_RETURN_IF_ERROR(
        Annotate(arena->Commit(),
                 absl::StrCat("the labels of ", max_rows, " sequences")));
  }
  loop->Allocate(device, pinned);
  return loop;
}

// Uploads what no step changes.
absl::Status DeviceDecodeLoop::UploadTables(const InputFeedbackSpec& spec) {
  const auto size = static_cast<int64_t>(spec.index.size());
  const int64_t index = tables_.Add(spec.index);
  const int64_t value = tables_.Add(spec.value);
  const auto encoding = [&](const TensorView& device_index,
                            const TensorView& device_value) {
    return MakeInputFeedbackEncoding(spec, encoder_.head_sizes(), device_index,
                                     device_value);
  };
  const int64_t width = InputFeedbackEntries(encoding({}, {}));
  std::vector<int32_t> begin_of_rows;
  for (int64_t row = 0; row <= max_rows_; ++row) {
    begin_of_rows.push_back(static_cast<int32_t>(row * width));
  }
  const int64_t row_begin = tables_.Add(begin_of_rows);
  const int64_t no_row = tables_.Add(std::vector<int32_t>{kNoRow});
  CONTINUO_RETURN_IF_ERROR(tables_.Upload());
  encoding_ = encoding(tables_.Get<int32_t>(index, {size}),
                       tables_.Get<float>(value, {size}));
  row_begin_ = tables_.Get<int32_t>(row_begin, {max_rows_ + 1});
  no_row_ = tables_.Get<int32_t>(no_row, {1});
  return absl::OkStatus();
}

void DeviceDecodeLoop::Allocate(Arena* device, Arena* pinned) {
  constexpr char kWhat[] = "labels";
  const int64_t rows = max_rows_;
  const int64_t width = InputFeedbackEntries(encoding_);
  const int64_t size = InputFeedbackStateSize(encoding_);
  for (TensorView* state : {&state_.now, &state_.next}) {
    *state = device->Allocate<int32_t>(kWhat, {rows, size});
  }
  index_ = device->Allocate<int32_t>(kWhat, {rows * width});
  value_ = device->Allocate<float>(kWhat, {rows * width});
  for (TensorView* scores : {&scores_.now, &scores_.next}) {
    *scores = device->Allocate<double>(kWhat, {rows});
  }
  kept_ = device->Allocate<int32_t>(kWhat, {rows});
  source_ = device->Allocate<int32_t>(kWhat, {rows});
  logits_ = device->Allocate<float>(kWhat, {rows, classes_});
  const int64_t slots = chunk_steps_ * rows;
  u_ = device->Allocate<double>(kWhat, {slots * heads_});
  const Shape results{1 + slots * (1 + heads_)};
  results_ = device->Allocate<int64_t>(kWhat, results);
  host_results_ = pinned->Allocate<int64_t>(kWhat, results);
  if (hooks_.trace == nullptr) return;
  probabilities_ = device->Allocate<double>("trace", {slots * classes_});
  host_probabilities_ = pinned->Allocate<double>("trace", {slots * classes_});
}

absl::Status DeviceDecodeLoop::Run(int64_t begin, int64_t end,
                                   int64_t events_before) {
  CONTINUO_RETURN_IF_ERROR(batch_.Begin(begin, end, events_before));
  CONTINUO_RETURN_IF_ERROR(decoder_->Reset(static_cast<int>(batch_.rows())));
  const TensorView state = Rows(state_.now, batch_.rows());
  CONTINUO_RETURN_IF_ERROR(Zero(stream_, {.x = AsFloats(state)}));
  CONTINUO_RETURN_IF_ERROR(Copy(
      stream_, {.from = AsFloats(no_row_), .to = AsFloats(BadRow(results_))}));
  last_choice_ = TensorView();
  boundary_source_.clear();
  while (!batch_.done()) CONTINUO_RETURN_IF_ERROR(RunChunk());
  return absl::OkStatus();
}

absl::Status DeviceDecodeLoop::RunChunk() {
  CONTINUO_RETURN_IF_ERROR(ScheduleChunk());
  CONTINUO_RETURN_IF_ERROR(UploadChunk());
  CONTINUO_RETURN_IF_ERROR(EnqueueChunk());
  CONTINUO_RETURN_IF_ERROR(FetchChunk());
  return EnterChunk();
}

double* DeviceDecodeLoop::LogP(const TensorView& results,
                               const EnqueuedStep& step) const {
  return static_cast<double*>(results.raw) + 1 + step.first_row;
}

int64_t* DeviceDecodeLoop::Choice(const TensorView& results,
                                  const EnqueuedStep& step) const {
  return results.data<int64_t>() + 1 + chunk_rows() + step.first_row * heads_;
}

// Reads what the chunk has drawn; the only wait.
absl::Status DeviceDecodeLoop::FetchChunk() {
  const int64_t rows = chunk_rows();
  CONTINUO_RETURN_IF_ERROR(
      CopyBytes(stream_, results_.raw, host_results_.raw,
                (1 + rows * (1 + heads_)) * DTypeSize(DType::kInt64)));
  if (probabilities_) {
    CONTINUO_RETURN_IF_ERROR(
        CopyBytes(stream_, probabilities_.raw, host_probabilities_.raw,
                  rows * classes_ * DTypeSize(DType::kFloat64)));
  }
  CONTINUO_RETURN_IF_ERROR(Synchronize(stream_));
  const int32_t bad_row = *BadRow(host_results_).data<int32_t>();
  if (bad_row == kNoRow) return absl::OkStatus();
  return SamplingError(absl::InvalidArgumentError(
      absl::StrCat("the logits of row ", bad_row, " are not finite")));
}

absl::Status DeviceDecodeLoop::EnterChunk() {
  for (const EnqueuedStep& step : steps_) {
    if (batch_.done()) break;  // all requests had enough
    CONTINUO_RETURN_IF_ERROR(EnterStep(step));
    if (hooks_.progress) hooks_.progress(batch_.events());
  }
  return absl::OkStatus();
}

// Enters a step into the batch, whose rows are those of the device without
// searches that had enough before.
absl::Status DeviceDecodeLoop::EnterStep(const EnqueuedStep& step) {
  batch_.StartSearches(step.plan);
  const std::vector<int32_t> left = RowsLeft(step.plan);
  const auto take = [&left]<typename T>(const T* all, int64_t width,
                                        std::vector<T>* some) -> const T* {
    if (left.empty() || all == nullptr) return all;
    some->clear();
    for (int32_t row : left) {
      some->insert(some->end(), all + row * width, all + (row + 1) * width);
    }
    return some->data();
  };
  std::vector<int64_t> choice;
  std::vector<double> log_p, probabilities;
  batch_.Append(take(Choice(host_results_, step), heads_, &choice),
                take(LogP(host_results_, step), 1, &log_p),
                take(probabilities_ ? host_probabilities_.data<double>() +
                                          step.first_row * classes_
                                    : nullptr,
                     classes_, &probabilities));

  std::vector<int32_t> source(batch_.rows());
  std::iota(source.begin(), source.end(), 0);
  CONTINUO_RETURN_IF_ERROR(batch_.EndIterations(&source));
  if (!left.empty()) {
    for (int32_t& row : source) row = left[row];
  }
  // With beams that is chance: chunks should be alike.
  if (hypotheses_ == 1 && IsIdentity(source, step.plan.rows)) source.clear();
  boundary_source_ = std::move(source);
  return absl::OkStatus();
}

// The device's rows that are in the batch; empty where all are.
std::vector<int32_t> DeviceDecodeLoop::RowsLeft(
    const ScheduledStep& plan) const {
  std::vector<int32_t> rows;
  if (batch_.rows() == plan.rows) return rows;
  for (int32_t row = 0; row < plan.prefixes; ++row) rows.push_back(row);
  int64_t planned = 0;
  for (const Search& search : batch_.searches()) {
    while (plan.requests[planned] != search.request) ++planned;
    for (int64_t i = 0; i < hypotheses_; ++i) {
      rows.push_back(
          static_cast<int32_t>(plan.prefixes + planned * hypotheses_ + i));
    }
  }
  return rows;
}

}  // namespace continuo
