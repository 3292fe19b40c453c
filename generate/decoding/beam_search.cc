// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/beam_search.h"

#include <algorithm>
#include <utility>

#include "kernels/decoding/beam.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// A copy with room for all events to come.
Hypothesis CopyHypothesis(const Hypothesis& from, size_t capacity) {
  Hypothesis copy{.events = {}, .score = from.score};
  copy.events.reserve(capacity);
  copy.events = from.events;
  return copy;
}

}  // namespace

void SearchList::Start(int64_t request, double primer_score) {
  const EventRequest& wanted = requests_[request];
  const size_t length =
      wanted.primer.size() + static_cast<size_t>(wanted.num_events);
  Search search{.request = request, .hypotheses = {}};
  for (int64_t i = 0; i < hypotheses_; ++i) {
    search.hypotheses.push_back(CopyHypothesis(
        {.events = wanted.primer, .score = primer_score}, length));
  }
  searches_.push_back(std::move(search));
}

absl::Status SearchList::EndIterations(int64_t first_row,
                                       std::vector<int32_t>* source) {
  std::vector<size_t> ending;
  std::vector<size_t> finished;
  for (size_t i = 0; i < searches_.size(); ++i) {
    const Search& search = searches_[i];
    const EventRequest& wanted = requests_[search.request];
    const bool enough = hypotheses_ == 1 && wanted.enough != nullptr &&
                        wanted.enough(search.hypotheses[0].events);
    if (!EndsIteration(wanted, options_, search.step) && !enough) continue;
    if (search.step == wanted.num_events || enough) {
      finished.push_back(i);
    } else {
      ending.push_back(i);
    }
  }
  // Pruning a single hypothesis changes nothing, but a trace shows it.
  if (!ending.empty() && (hypotheses_ > 1 || hooks_.trace != nullptr)) {
    CONTINUO_RETURN_IF_ERROR(PruneAndBranch(ending, first_row, source));
  }
  if (finished.empty()) return absl::OkStatus();
  return Retire(finished, first_row, source);
}

std::vector<double> SearchList::Scores(
    const std::vector<size_t>& searches) const {
  std::vector<double> scores;
  scores.reserve(searches.size() * hypotheses_);
  for (size_t i : searches) {
    for (const Hypothesis& hypothesis : searches_[i].hypotheses) {
      scores.push_back(hypothesis.score);
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
                {.scores = TensorView(scores.data(), {count, hypotheses_}),
                 .kept = kept_view}));
  Trace(ending, scores, kept);
  std::vector<int32_t> branched(count * hypotheses_);
  CONTINUO_RETURN_IF_ERROR(BeamBranch(
      HostStream(stream_),
      {.kept = kept_view,
       .hypotheses = static_cast<int>(hypotheses_),
       .source = TensorView(branched.data(), {count, hypotheses_})}));

  std::vector<int> uses(hypotheses_);
  std::vector<int32_t> old_source(hypotheses_);
  for (int64_t r = 0; r < count; ++r) {
    Search& search = searches_[ending[r]];
    std::vector<Hypothesis> old = std::exchange(search.hypotheses, {});
    const auto rows = source->begin() + first_row +
                      static_cast<int64_t>(ending[r]) * hypotheses_;
    std::copy_n(rows, hypotheses_, old_source.begin());
    std::fill(uses.begin(), uses.end(), 0);
    const auto from = [&](int64_t i) {
      return branched[r * hypotheses_ + i] -
             static_cast<int32_t>(r * hypotheses_);
    };
    for (int64_t i = 0; i < hypotheses_; ++i) ++uses[from(i)];
    for (int64_t i = 0; i < hypotheses_; ++i) {
      Hypothesis& parent = old[from(i)];
      rows[i] = old_source[from(i)];
      // The last use takes the history, those before copy it.
      search.hypotheses.push_back(
          --uses[from(i)] == 0
              ? std::move(parent)
              : CopyHypothesis(parent, parent.events.capacity()));
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
                {.scores = TensorView(scores.data(), {count, hypotheses_}),
                 .kept = TensorView(best.data(), {count, 1})}));
  Trace(finished, scores, best);
  for (int64_t r = 0; r < count; ++r) {
    Search& search = searches_[finished[r]];
    Hypothesis& hypothesis = search.hypotheses[best[r]];
    CONTINUO_RETURN_IF_ERROR(
        hooks_.done(search.request, {.events = std::move(hypothesis.events),
                                     .log_likelihood = hypothesis.score}));
  }

  std::vector<Search> left;
  auto row = source->begin() + first_row;
  std::vector<int32_t> rows(source->begin(), row);
  auto next = finished.begin();
  for (size_t i = 0; i < searches_.size(); ++i, row += hypotheses_) {
    if (next != finished.end() && *next == i) {
      ++next;
      continue;
    }
    left.push_back(std::move(searches_[i]));
    rows.insert(rows.end(), row, row + hypotheses_);
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
        {.scores = {scores.begin() + r * hypotheses_,
                    scores.begin() + (r + 1) * hypotheses_},
         .kept = {kept.begin() + r * keep, kept.begin() + (r + 1) * keep}});
  }
}

}  // namespace continuo
