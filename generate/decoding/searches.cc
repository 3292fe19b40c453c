#include "generate/decoding/searches.h"

#include <algorithm>
#include <utility>

#include "kernels/decoding/beam.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// A copy with room for all events to come.
SearchEntry CopyEntry(const SearchEntry& from, size_t capacity) {
  SearchEntry copy{.events = {}, .score = from.score};
  copy.events.reserve(capacity);
  copy.events = from.events;
  return copy;
}

}  // namespace

void SearchList::Start(int64_t request, double primer_score) {
  const EventRequest& wanted = requests_[request];
  const size_t length =
      wanted.primer.size() + static_cast<size_t>(wanted.num_events);
  Search search{.request = request,
                .left = FirstIteration(wanted, options_),
                .entries = {}};
  for (int64_t i = 0; i < entries_; ++i) {
    search.entries.push_back(
        CopyEntry({.events = wanted.primer, .score = primer_score}, length));
  }
  searches_.push_back(std::move(search));
}

absl::Status SearchList::EndIterations(int64_t first_row,
                                       std::vector<int32_t>* source) {
  std::vector<size_t> ending;
  std::vector<size_t> finished;
  for (size_t i = 0; i < searches_.size(); ++i) {
    Search& search = searches_[i];
    const EventRequest& wanted = requests_[search.request];
    const bool enough = entries_ == 1 && wanted.enough != nullptr &&
                        wanted.enough(search.entries[0].events);
    if (--search.left > 0 && !enough) continue;
    if (search.step == wanted.num_events || enough) {
      finished.push_back(i);
    } else {
      search.left = options_.steps_per_iteration;
      ending.push_back(i);
    }
  }
  // Pruning a single entry changes nothing, but a trace shows it.
  if (!ending.empty() && (entries_ > 1 || hooks_.trace != nullptr)) {
    CONTINUO_RETURN_IF_ERROR(PruneAndBranch(ending, first_row, source));
  }
  if (finished.empty()) return absl::OkStatus();
  return Retire(finished, first_row, source);
}

std::vector<double> SearchList::Scores(
    const std::vector<size_t>& searches) const {
  std::vector<double> scores;
  scores.reserve(searches.size() * entries_);
  for (size_t i : searches) {
    for (const SearchEntry& entry : searches_[i].entries) {
      scores.push_back(entry.score);
    }
  }
  return scores;
}

absl::Status SearchList::PruneAndBranch(const std::vector<size_t>& ending,
                                        int64_t first_row,
                                        std::vector<int32_t>* source) {
  const int64_t count = static_cast<int64_t>(ending.size());
  const std::vector<double> scores = Scores(ending);
  std::vector<int32_t> kept(count * options_.beam_size);
  const TensorView kept_view(kept.data(), {count, options_.beam_size});
  CONTINUO_RETURN_IF_ERROR(
      BeamPrune(HostStream(stream_),
                {.scores = TensorView(scores.data(), {count, entries_}),
                 .kept = kept_view}));
  Trace(ending, scores, kept);
  std::vector<int32_t> branched(count * entries_);
  CONTINUO_RETURN_IF_ERROR(
      BeamBranch(HostStream(stream_),
                 {.kept = kept_view,
                  .entries = static_cast<int>(entries_),
                  .source = TensorView(branched.data(), {count, entries_})}));

  std::vector<int> uses(entries_);
  std::vector<int32_t> old_source(entries_);
  for (int64_t r = 0; r < count; ++r) {
    Search& search = searches_[ending[r]];
    std::vector<SearchEntry> old = std::exchange(search.entries, {});
    const auto rows = source->begin() + first_row +
                      static_cast<int64_t>(ending[r]) * entries_;
    std::copy_n(rows, entries_, old_source.begin());
    std::fill(uses.begin(), uses.end(), 0);
    const auto from = [&](int64_t i) {
      return branched[r * entries_ + i] - static_cast<int32_t>(r * entries_);
    };
    for (int64_t i = 0; i < entries_; ++i) ++uses[from(i)];
    for (int64_t i = 0; i < entries_; ++i) {
      SearchEntry& parent = old[from(i)];
      rows[i] = old_source[from(i)];
      // The last use takes the history, those before copy it.
      search.entries.push_back(
          --uses[from(i)] == 0 ? std::move(parent)
                               : CopyEntry(parent, parent.events.capacity()));
    }
  }
  return absl::OkStatus();
}

absl::Status SearchList::Retire(const std::vector<size_t>& finished,
                                int64_t first_row,
                                std::vector<int32_t>* source) {
  const int64_t count = static_cast<int64_t>(finished.size());
  const std::vector<double> scores = Scores(finished);
  std::vector<int32_t> best(count);
  CONTINUO_RETURN_IF_ERROR(
      BeamPrune(HostStream(stream_),
                {.scores = TensorView(scores.data(), {count, entries_}),
                 .kept = TensorView(best.data(), {count, 1})}));
  Trace(finished, scores, best);
  for (int64_t r = 0; r < count; ++r) {
    Search& search = searches_[finished[r]];
    SearchEntry& entry = search.entries[best[r]];
    CONTINUO_RETURN_IF_ERROR(hooks_.done(
        search.request,
        {.events = std::move(entry.events), .log_likelihood = entry.score}));
  }

  std::vector<Search> left;
  auto row = source->begin() + first_row;
  std::vector<int32_t> rows(source->begin(), row);
  auto next = finished.begin();
  for (size_t i = 0; i < searches_.size(); ++i, row += entries_) {
    if (next != finished.end() && *next == i) {
      ++next;
      continue;
    }
    left.push_back(std::move(searches_[i]));
    rows.insert(rows.end(), row, row + entries_);
  }
  searches_ = std::move(left);
  *source = std::move(rows);
  return absl::OkStatus();
}

void SearchList::Trace(const std::vector<size_t>& searches,
                       const std::vector<double>& scores,
                       const std::vector<int32_t>& kept) const {
  if (hooks_.trace == nullptr) return;
  const int64_t keep = static_cast<int64_t>(kept.size() / searches.size());
  for (size_t r = 0; r < searches.size(); ++r) {
    if (searches_[searches[r]].request != 0) continue;
    hooks_.trace->prunings.push_back(
        {.scores = {scores.begin() + r * entries_,
                    scores.begin() + (r + 1) * entries_},
         .kept = {kept.begin() + r * keep, kept.begin() + (r + 1) * keep}});
  }
}

}  // namespace continuo
