// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/decode_batch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Rows a task appends events to; one event costs well under a microsecond.
constexpr int64_t kAppendedRowsPerTask = 64;

}  // namespace

DecodeBatch::DecodeBatch(ThreadPool* pool, const EventEncoder& encoder,
                         absl::Span<const EventRequest> requests,
                         const SearchOptions& options,
                         const GenerateHooks& hooks)
    : host_{.device = {}, .pool = pool},
      encoder_(encoder),
      requests_(requests),
      hooks_(hooks),
      searches_(host_, requests, options, hooks) {}

absl::Status DecodeBatch::Begin(int64_t begin, int64_t end,
                                int64_t events_before) {
  events_ = events_before;
  for (int64_t request = begin; request < end; ++request) {
    const std::vector<Event>& primer = requests_[request].primer;
    auto prefix = std::find_if(
        prefixes_.begin(), prefixes_.end(),
        [&](const SharedPrefix& other) { return *other.primer == primer; });
    if (prefix == prefixes_.end()) {
      prefixes_.push_back({.primer = &primer, .requests = {}, .inputs = {}});
      prefix = prefixes_.end() - 1;
      CONTINUO_RETURN_IF_ERROR(Annotate(
          encoder_.EncodeInputs(primer, 0, static_cast<int>(primer.size()),
                                &prefix->inputs),
          "primer"));
    }
    prefix->requests.push_back(request);
  }
  return absl::OkStatus();
}

void DecodeBatch::StartSearches(const ScheduledStep& step) {
  for (int32_t i : step.ended) {
    const SharedPrefix& prefix = prefixes_[i];
    for (int64_t request : prefix.requests) {
      searches_.Start(request, prefix.score);
    }
  }
  for (auto i = step.ended.rbegin(); i != step.ended.rend(); ++i) {
    prefixes_.erase(prefixes_.begin() + *i);
  }
  for (SharedPrefix& prefix : prefixes_) ++prefix.position;
}

void DecodeBatch::Append(const int64_t* choice, const double* log_p,
                         const double* probabilities) {
  if (hooks_.trace != nullptr) Trace(choice, log_p, probabilities);
  int64_t first = 0;
  for (SharedPrefix& prefix : prefixes_) prefix.score += log_p[first++];
  std::vector<Hypothesis*> hypotheses;
  hypotheses.reserve(rows());
  for (Search& search : searches_.searches()) {
    ++search.step;
    ++events_;
    for (Hypothesis& hypothesis : search.hypotheses)
      hypotheses.push_back(&hypothesis);
  }
  const int heads = encoder_.num_heads();
  const auto count = static_cast<int64_t>(hypotheses.size());
  const int64_t tasks = CeilDiv(count, kAppendedRowsPerTask);
  host_.pool->Run(tasks, [&](int64_t task) {
    const int64_t end = std::min(count, (task + 1) * kAppendedRowsPerTask);
    for (int64_t i = task * kAppendedRowsPerTask; i < end; ++i) {
      const int64_t row = first + i;
      hypotheses[i]->score += log_p[row];
      hypotheses[i]->events.push_back(
          encoder_.DecodeLabel(absl::MakeConstSpan(choice + row * heads, heads),
                               hypotheses[i]->events));
    }
  });
}

absl::Status DecodeBatch::EndIterations(std::vector<int32_t>* source) {
  return searches_.EndIterations(num_prefixes(), source);
}

void DecodeBatch::Trace(const int64_t* choice, const double* log_p,
                        const double* probabilities) {
  const int64_t hypotheses = hypotheses_per_search();
  int64_t row = num_prefixes();
  for (const Search& search : searches()) {
    if (search.request == 0) {
      const auto take = [&](const auto* from, int64_t width) {
        return std::vector(from + row * width,
                           from + (row + hypotheses) * width);
      };
      hooks_.trace->steps.push_back(
          {.choice = take(choice, encoder_.num_heads()),
           .log_p = take(log_p, 1),
           .probabilities = take(probabilities, encoder_.num_classes())});
    }
    row += hypotheses;
  }
}

bool IsIdentity(const std::vector<int32_t>& source, int64_t rows) {
  if (static_cast<int64_t>(source.size()) != rows) return false;
  for (int64_t row = 0; row < rows; ++row) {
    if (source[row] != row) return false;
  }
  return true;
}

absl::Status SamplingError(const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(),
                   ": the weights have diverged or are damaged; use an "
                   "earlier checkpoint"));
}

}  // namespace continuo
