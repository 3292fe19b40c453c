#include "generate/device_wave.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "generate/feedback_tables.h"
#include "kernels/beam.h"
#include "kernels/beam_rows.h"
#include "kernels/draws.h"
#include "kernels/embedding.h"
#include "kernels/rows.h"
#include "kernels/sampling.h"
#include "runtime/log.h"
#include "runtime/status.h"
#include "runtime/transfer.h"

namespace continuo {
namespace {

// A run in steady state needs a few: one for each way that chunks, buffers and
// the slots of attention windows can meet.
constexpr size_t kMaxRecordings = 64;

// `count` rows of an array of rows, from row `begin` on.
template <typename T>
TensorView Rows(const TensorView& view, int64_t begin, int64_t count) {
  const int64_t width = view.shape.rank() > 1 ? view.shape[1] : 1;
  CONTINUO_CHECK(begin + count <= view.shape[0]);
  T* const data = view.data<T>() + begin * width;
  return view.shape.rank() > 1 ? TensorView(data, {count, width})
                               : TensorView(data, {count});
}

// The same memory as rows of floats, for operations that move or clear them.
TensorView AsFloats(const TensorView& view) {
  const int64_t width = view.shape.rank() > 1 ? view.shape[1] : 1;
  return TensorView(static_cast<float*>(view.raw),
                    {view.shape[0], width * DTypeSize(view.dtype) /
                                        static_cast<int64_t>(sizeof(float))});
}

template <typename T>
TensorView View(const std::vector<T>& values) {
  return TensorView(values.data(), {static_cast<int64_t>(values.size())});
}

// Where an array of results notes the first row that could not be sampled.
constexpr int32_t kNoRow = std::numeric_limits<int32_t>::max();
TensorView BadRow(const TensorView& results) {
  return TensorView(static_cast<int32_t*>(results.raw), {1});
}

}  // namespace

DeviceWave::DeviceWave(EventRnnDecoder* decoder, const Stream& stream,
                       const EventEncoder& encoder,
                       absl::Span<const EventRequest> requests,
                       const SearchOptions& options, const DrawSource& draws,
                       const GenerateHooks& hooks, int64_t max_rows,
                       int chunk_steps)
    : decoder_(decoder),
      stream_(stream),
      encoder_(encoder),
      requests_(requests),
      options_(options),
      draws_(draws),
      hooks_(hooks),
      max_rows_(max_rows),
      chunk_steps_(chunk_steps),
      book_(stream.pool, encoder, requests, options, hooks),
      heads_(encoder.num_heads()),
      classes_(encoder.num_classes()),
      entries_(book_.entries_per_search()),
      staging_(stream) {}

absl::StatusOr<std::unique_ptr<DeviceWave>> DeviceWave::Create(
    EventRnnDecoder* decoder, const Stream& stream, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    const DrawSource& draws, const GenerateHooks& hooks, int64_t max_rows,
    int chunk_steps) {
  const std::optional<FeedbackSpec> spec = encoder.Feedback();
  CONTINUO_CHECK(spec.has_value() && chunk_steps >= 1);
  std::unique_ptr<DeviceWave> wave(
      new DeviceWave(decoder, stream, encoder, requests, options, draws, hooks,
                     max_rows, chunk_steps));
  wave->device_arena_ = std::make_unique<Arena>(stream.device);
  wave->pinned_arena_ =
      std::make_unique<Arena>(stream.device, MemoryKind::kPinned);
  const auto table_size = static_cast<int64_t>(spec->index.size());
  for (const bool planning : {true, false}) {
    Arena* const device = wave->device_arena_.get();
    Arena* const pinned = wave->pinned_arena_.get();
    wave->table_index_ = device->Allocate<int32_t>("labels", {table_size});
    wave->table_value_ = device->Allocate<float>("labels", {table_size});
    wave->encoding_ = MakeFeedbackEncoding(
        *spec, encoder.head_sizes(), wave->table_index_, wave->table_value_);
    wave->Allocate(device, pinned);
    if (!planning) break;
    for (Arena* arena : {device, pinned}) {
      CONTINUO_RETURN_IF_ERROR(
          Annotate(arena->Commit(),
                   absl::StrCat("the labels of ", max_rows, " sequences")));
    }
  }
  CONTINUO_RETURN_IF_ERROR(wave->UploadTables(*spec));
  return wave;
}

void DeviceWave::Allocate(Arena* device, Arena* pinned) {
  constexpr char kWhat[] = "labels";
  const int64_t rows = max_rows_;
  const int64_t width = FeedbackEntries(encoding_);
  const int64_t size = FeedbackStateSize(encoding_);
  row_begin_ = device->Allocate<int32_t>(kWhat, {rows + 1});
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

absl::Status DeviceWave::UploadTables(const FeedbackSpec& spec) {
  std::vector<int32_t> row_begin(max_rows_ + 1);
  const int64_t width = FeedbackEntries(encoding_);
  for (int64_t row = 0; row <= max_rows_; ++row) {
    row_begin[row] = static_cast<int32_t>(row * width);
  }
  CONTINUO_RETURN_IF_ERROR(CopyAndWait(stream_, View(row_begin), row_begin_));
  CONTINUO_RETURN_IF_ERROR(
      CopyAndWait(stream_, View(spec.index), table_index_));
  return CopyAndWait(stream_, View(spec.value), table_value_);
}

absl::Status DeviceWave::Run(int64_t begin, int64_t end,
                             int64_t events_before) {
  CONTINUO_RETURN_IF_ERROR(book_.Begin(begin, end, events_before));
  CONTINUO_RETURN_IF_ERROR(decoder_->Reset(static_cast<int>(book_.rows())));
  CONTINUO_RETURN_IF_ERROR(BeginLabels());
  while (!book_.done()) CONTINUO_RETURN_IF_ERROR(RunChunk());
  return absl::OkStatus();
}

// The first event of each primer is the first label to feed.
absl::Status DeviceWave::BeginLabels() {
  const int64_t rows = book_.rows();
  std::vector<int64_t> labels(rows * heads_);
  for (int64_t i = 0; i < rows; ++i) {
    CONTINUO_RETURN_IF_ERROR(
        Annotate(encoder_.EncodeLabel(
                     *book_.prefixes()[i].primer, 0,
                     absl::MakeSpan(labels).subspan(i * heads_, heads_)),
                 "primer"));
  }
  last_choice_ = TensorView(results_.data<int64_t>() + 1, {rows, heads_});
  boundary_source_.clear();
  CONTINUO_RETURN_IF_ERROR(CopyAndWait(
      stream_, TensorView(labels.data(), {rows, heads_}), last_choice_));
  CONTINUO_RETURN_IF_ERROR(
      CopyAndWait(stream_, TensorView(&kNoRow, {1}), BadRow(results_)));
  return Zero(stream_, {.x = AsFloats(Rows<int32_t>(state_.now, 0, rows))});
}

absl::Status DeviceWave::RunChunk() {
  CONTINUO_RETURN_IF_ERROR(PlanChunk());
  CONTINUO_RETURN_IF_ERROR(StageChunk());
  CONTINUO_RETURN_IF_ERROR(QueueChunk());
  CONTINUO_RETURN_IF_ERROR(FetchChunk());
  return EnterChunk();
}

absl::Status DeviceWave::PlanChunk() {
  CONTINUO_ASSIGN_OR_RETURN(
      std::vector<PlannedStep> plan,
      PlanSteps(book_, encoder_, requests_, options_, chunk_steps_));
  steps_.clear();
  int64_t rows = 0;
  for (PlannedStep& step : plan) {
    QueuedStep& queued = steps_.emplace_back();
    queued.plan = std::move(step);
    queued.first_row = rows;
    rows += queued.plan.rows;
  }
  return absl::OkStatus();
}

// Puts all that the host knows of the chunk into one copy.
absl::Status DeviceWave::StageChunk() {
  staging_.Begin();
  boundary_source_handle_ =
      boundary_source_.empty() ? -1 : staging_.Add(boundary_source_);
  if (entries_ > 1) scores_handle_ = staging_.Add(Scores());
  const auto add = [this](const std::vector<int32_t>& values) {
    return values.empty() ? -1 : staging_.Add(values);
  };
  size_t first = 0;
  for (size_t k = 0; k < steps_.size(); ++k) {
    QueuedStep& step = steps_[k];
    step.start_source = add(step.plan.start_source);
    step.ending = add(step.plan.ending);
    step.keep = add(step.plan.keep);
    if (step.plan.prefixes > 0) {
      std::vector<int64_t> forced = step.plan.prefix_labels;
      forced.resize(step.plan.rows * heads_, -1);
      step.forced = staging_.Add(forced);
    }
    const bool last = k + 1 == steps_.size();
    if (last || !step.plan.keep.empty() || steps_[k + 1].plan.starts()) {
      StageDraws(&steps_[first], static_cast<int64_t>(k + 1 - first));
      first = k + 1;
    }
  }
  CONTINUO_RETURN_IF_ERROR(staging_.Send());
  if (entries_ == 1) return absl::OkStatus();
  const int64_t rows = book_.rows();
  return Copy(stream_,
              {.from = AsFloats(staging_.Get<double>(scores_handle_, {rows})),
               .to = AsFloats(Rows<double>(scores_.now, 0, rows))});
}

// What `steps` steps with the same rows draw with: where it comes from a seed,
// the device makes it.
void DeviceWave::StageDraws(QueuedStep* first, int64_t steps) {
  const PlannedStep& plan = first->plan;
  first->draw_steps = steps;
  if (draws_.seed().has_value()) {
    std::vector<uint64_t> output;
    for (int64_t request : plan.requests) {
      output.push_back(requests_[request].output);
    }
    first->draw_output = staging_.Add(output);
    first->draw_step = staging_.Add(plan.search_steps);
    return;
  }
  std::vector<double> u(steps * plan.rows * heads_, 0.0);
  int64_t slot = 0;
  for (int64_t step = 0; step < steps; ++step) {
    slot += plan.prefixes * heads_;
    for (size_t i = 0; i < plan.requests.size(); ++i) {
      DrawPosition position{.output = requests_[plan.requests[i]].output,
                            .step = plan.search_steps[i] + step};
      for (; position.entry < entries_; ++position.entry) {
        for (position.head = 0; position.head < heads_; ++position.head) {
          u[slot++] = draws_.Draw(position);
        }
      }
    }
  }
  first->u = staging_.Add(u);
}

std::vector<double> DeviceWave::Scores() const {
  std::vector<double> scores;
  for (const Prefix& prefix : book_.prefixes()) scores.push_back(prefix.score);
  for (const Search& search : book_.searches()) {
    for (const SearchEntry& entry : search.entries) {
      scores.push_back(entry.score);
    }
  }
  return scores;
}

double* DeviceWave::LogP(const TensorView& results,
                         const QueuedStep& step) const {
  return static_cast<double*>(results.raw) + 1 + step.first_row;
}

int64_t* DeviceWave::Choice(const TensorView& results,
                            const QueuedStep& step) const {
  return results.data<int64_t>() + 1 + chunk_rows() + step.first_row * heads_;
}

// A chunk that comes again is recorded when it comes the second time: most of
// those that begin or end a wave never do.
absl::Status DeviceWave::QueueChunk() {
  if (stream_.device.type == DeviceType::kCpu) return QueueSteps();
  if (recordings_.size() >= kMaxRecordings) recordings_.clear();
  const auto [entry, first] = recordings_.try_emplace(ChunkKey(), std::nullopt);
  if (first) return QueueSteps();
  ++recorded_chunks_;
  std::optional<Recording>& recording = entry->second;
  if (!recording.has_value()) {
    CONTINUO_ASSIGN_OR_RETURN(recording, Record());
    return recording->graph.Launch(stream_);
  }
  CONTINUO_RETURN_IF_ERROR(recording->graph.Launch(stream_));
  state_ = recording->state;
  scores_ = recording->scores;
  last_choice_ = recording->last_choice;
  decoder_->MoveTo(*recording->place, static_cast<int64_t>(steps_.size()));
  return absl::OkStatus();
}

// All that the work of a chunk depends on but the contents of arrays.
std::vector<int64_t> DeviceWave::ChunkKey() const {
  std::vector<int64_t> key = decoder_->PlaceKey();
  const auto add_array = [&key](const TensorView& view) {
    key.push_back(reinterpret_cast<int64_t>(view.raw));
    key.push_back(view.shape.rank() > 0 ? view.shape[0] : 0);
  };
  add_array(staging_.Get<int32_t>(0, {0}));
  add_array(last_choice_);
  add_array(state_.now);
  add_array(scores_.now);
  key.push_back(boundary_source_handle_);
  key.push_back(static_cast<int64_t>(boundary_source_.size()));
  for (const QueuedStep& step : steps_) {
    key.insert(
        key.end(),
        {step.plan.prefixes, step.plan.rows, step.start_source, step.forced,
         step.ending, step.keep, static_cast<int64_t>(step.plan.keep.size()),
         step.u, step.draw_steps, step.draw_output, step.draw_step});
  }
  return key;
}

absl::StatusOr<DeviceWave::Recording> DeviceWave::Record() {
  CONTINUO_ASSIGN_OR_RETURN(
      Graph graph, Graph::Capture(stream_, [this] { return QueueSteps(); }));
  LogDebug("recorded ", steps_.size(), " events of ", steps_.back().plan.rows,
           " sequences");
  return Recording{.graph = std::move(graph),
                   .state = state_,
                   .scores = scores_,
                   .last_choice = last_choice_,
                   .place = decoder_->place()};
}

absl::Status DeviceWave::QueueSteps() {
  for (size_t k = 0; k < steps_.size(); ++k) {
    CONTINUO_RETURN_IF_ERROR(QueueStep(k));
  }
  return absl::OkStatus();
}

absl::Status DeviceWave::QueueStep(size_t k) {
  const QueuedStep& step = steps_[k];
  if (k == 0) {
    scored_ = 0;
    feed_source_ = TensorView();
    if (boundary_source_handle_ >= 0) {
      feed_source_ = staging_.Get<int32_t>(
          boundary_source_handle_,
          {static_cast<int64_t>(boundary_source_.size())});
      CONTINUO_RETURN_IF_ERROR(decoder_->ReorderOnDevice(feed_source_));
    }
  }
  const int64_t rows = decoder_->num_rows();
  CONTINUO_RETURN_IF_ERROR(FeedLabels(rows));
  const int64_t entries = rows * FeedbackEntries(encoding_);
  CONTINUO_RETURN_IF_ERROR(decoder_->StepOnDevice(
      {.row_begin = Rows<int32_t>(row_begin_, 0, rows + 1),
       .index = Rows<int32_t>(index_, 0, entries),
       .value = Rows<float>(value_, 0, entries)}));
  TensorView logits = decoder_->device_logits();
  if (step.plan.starts()) {
    CONTINUO_RETURN_IF_ERROR(AddPendingScores(k));
    CONTINUO_RETURN_IF_ERROR(StartSearches(step));
    logits = Rows<float>(logits_, 0, step.plan.rows);
  }
  CONTINUO_RETURN_IF_ERROR(SampleLabels(step, logits));
  last_choice_ = TensorView(Choice(results_, step), {step.plan.rows, heads_});
  feed_source_ = TensorView();
  // What follows the last step waits for what the host finds out.
  const bool last = k + 1 == steps_.size();
  if (last || !step.plan.reorders()) return absl::OkStatus();
  return EndIterations(k);
}

// Enters the newest labels and makes the inputs that follow.
absl::Status DeviceWave::FeedLabels(int64_t rows) {
  const int64_t width = FeedbackEntries(encoding_);
  const TensorView next = Rows<int32_t>(state_.next, 0, rows);
  CONTINUO_RETURN_IF_ERROR(Feedback(
      stream_, {.encoding = encoding_,
                .source = feed_source_,
                .choice = last_choice_,
                .state = Rows<int32_t>(state_.now, 0, last_choice_.shape[0]),
                .next_state = next,
                .index = Rows<int32_t>(index_, 0, rows * width),
                .value = Rows<float>(value_, 0, rows * width)}));
  std::swap(state_.now, state_.next);
  return absl::OkStatus();
}

// Rows of ended prefixes become the entries of their searches.
absl::Status DeviceWave::StartSearches(const QueuedStep& step) {
  const int64_t before = decoder_->num_rows();
  const int64_t rows = step.plan.rows;
  const TensorView source = staging_.Get<int32_t>(step.start_source, {rows});
  CONTINUO_RETURN_IF_ERROR(
      GatherRows(stream_, {.x = decoder_->device_logits(),
                           .rows = source,
                           .out = Rows<float>(logits_, 0, rows)}));
  CONTINUO_RETURN_IF_ERROR(GatherRows(
      stream_, {.x = AsFloats(Rows<int32_t>(state_.now, 0, before)),
                .rows = source,
                .out = AsFloats(Rows<int32_t>(state_.next, 0, rows))}));
  std::swap(state_.now, state_.next);
  CONTINUO_RETURN_IF_ERROR(ReorderScores(source));
  return decoder_->ReorderOnDevice(source);
}

absl::Status DeviceWave::SampleLabels(const QueuedStep& step,
                                      const TensorView& logits) {
  const int64_t rows = step.plan.rows;
  double* const u = u_.data<double>() + step.first_row * heads_;
  if (step.u >= 0) {
    const Shape shape{step.draw_steps * rows * heads_, 1};
    CONTINUO_RETURN_IF_ERROR(
        Copy(stream_, {.from = AsFloats(staging_.Get<double>(step.u, shape)),
                       .to = AsFloats(TensorView(u, shape))}));
  } else if (step.draw_steps > 0) {
    const auto searches = static_cast<int64_t>(step.plan.requests.size());
    CONTINUO_RETURN_IF_ERROR(DrawUniforms(
        stream_,
        {.seed = *draws_.seed(),
         .prefixes = step.plan.prefixes,
         .entries = entries_,
         .output = staging_.Get<uint64_t>(step.draw_output, {searches}),
         .step = staging_.Get<int64_t>(step.draw_step, {searches}),
         .u = TensorView(u, {step.draw_steps, rows, heads_})}));
  }
  SampleArgs args{.logits = logits,
                  .head_sizes = encoder_.head_sizes(),
                  .temperature = options_.temperature,
                  .top_k = options_.top_k,
                  .top_p = options_.top_p,
                  .u = TensorView(u, {rows, heads_}),
                  .choice = TensorView(Choice(results_, step), {rows, heads_}),
                  .log_p = TensorView(LogP(results_, step), {rows}),
                  .bad_row = BadRow(results_)};
  if (step.forced >= 0) {
    args.forced = staging_.Get<int64_t>(step.forced, {rows, heads_});
  }
  if (probabilities_) {
    args.probabilities =
        TensorView(probabilities_.data<double>() + step.first_row * classes_,
                   {rows, classes_});
  }
  const absl::Status status = Sample(stream_, args);
  return status.ok() ? status : SamplingError(status);
}

// Prunes and branches where iterations end, and drops what is finished.
absl::Status DeviceWave::EndIterations(size_t k) {
  const QueuedStep& step = steps_[k];
  const auto left = static_cast<int64_t>(
      step.plan.keep.empty() ? step.plan.rows : step.plan.keep.size());
  TensorView keep;
  if (step.keep >= 0) keep = staging_.Get<int32_t>(step.keep, {left});
  CONTINUO_RETURN_IF_ERROR(AddPendingScores(k + 1));
  feed_source_ = keep;
  if (step.ending >= 0) {
    const auto searches = static_cast<int64_t>(step.plan.requests.size());
    const TensorView kept(kept_.data<int32_t>(),
                          {searches, options_.beam_size});
    CONTINUO_RETURN_IF_ERROR(BeamPrune(
        stream_,
        {.scores = TensorView(scores_.now.data<double>() + step.plan.prefixes,
                              {searches, entries_}),
         .kept = kept}));
    feed_source_ = Rows<int32_t>(source_, 0, left);
    CONTINUO_RETURN_IF_ERROR(BeamRows(
        stream_, {.prefixes = step.plan.prefixes,
                  .entries = entries_,
                  .kept = kept,
                  .ending = staging_.Get<int32_t>(step.ending, {searches}),
                  .keep = keep,
                  .source = feed_source_}));
  }
  CONTINUO_RETURN_IF_ERROR(ReorderScores(feed_source_));
  return decoder_->ReorderOnDevice(feed_source_);
}

// Beams are compared by sums that lag behind: rows keep their places between
// two reorderings, so the log-probabilities since then are added at once.
absl::Status DeviceWave::AddPendingScores(size_t end) {
  const size_t begin = std::exchange(scored_, end);
  if (entries_ == 1 || begin == end) return absl::OkStatus();
  const QueuedStep& first = steps_[begin];
  return AddScores(stream_,
                   {.log_p = TensorView(
                        LogP(results_, first),
                        {static_cast<int64_t>(end - begin), first.plan.rows}),
                    .scores = Rows<double>(scores_.now, 0, first.plan.rows)});
}

absl::Status DeviceWave::ReorderScores(const TensorView& source) {
  if (entries_ == 1) return absl::OkStatus();
  CONTINUO_RETURN_IF_ERROR(GatherRows(
      stream_,
      {.x = AsFloats(scores_.now),
       .rows = source,
       .out = AsFloats(Rows<double>(scores_.next, 0, source.shape[0]))}));
  std::swap(scores_.now, scores_.next);
  return absl::OkStatus();
}

// Reads what the chunk has drawn; the only wait.
absl::Status DeviceWave::FetchChunk() {
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

absl::Status DeviceWave::EnterChunk() {
  for (const QueuedStep& step : steps_) {
    if (book_.done()) break;  // all requests had enough
    CONTINUO_RETURN_IF_ERROR(EnterStep(step));
    if (hooks_.progress) hooks_.progress(book_.events());
  }
  return absl::OkStatus();
}

// Enters a step into the book, whose rows are those of the device without
// searches that had enough before.
absl::Status DeviceWave::EnterStep(const QueuedStep& step) {
  std::vector<int32_t> ignored;
  book_.StartSearches(&ignored);
  std::vector<int64_t> labels(book_.num_prefixes() * heads_);
  CONTINUO_RETURN_IF_ERROR(book_.AdvancePrefixes(absl::MakeSpan(labels)));

  const std::vector<Search>& searches = book_.searches();
  std::vector<int32_t> device_row(book_.num_prefixes());
  std::iota(device_row.begin(), device_row.end(), 0);
  size_t planned = 0;
  for (const Search& search : searches) {
    while (step.plan.requests[planned] != search.request) ++planned;
    for (int64_t i = 0; i < entries_; ++i) {
      device_row.push_back(static_cast<int32_t>(
          step.plan.prefixes + static_cast<int64_t>(planned) * entries_ + i));
    }
  }
  const double* log_p = LogP(host_results_, step);
  const int64_t* choice = Choice(host_results_, step);
  if (!IsIdentity(device_row, step.plan.rows)) {
    log_p_of_book_.clear();
    choice_of_book_.clear();
    for (int32_t row : device_row) {
      log_p_of_book_.push_back(log_p[row]);
      choice_of_book_.insert(choice_of_book_.end(), choice + row * heads_,
                             choice + (row + 1) * heads_);
    }
    log_p = log_p_of_book_.data();
    choice = choice_of_book_.data();
  }
  // A trace is of the first request, before which none had enough.
  book_.Append(choice, log_p,
               probabilities_ ? host_probabilities_.data<double>() +
                                    step.first_row * classes_
                              : nullptr);

  std::vector<int32_t> source(device_row.size());
  std::iota(source.begin(), source.end(), 0);
  CONTINUO_RETURN_IF_ERROR(book_.EndIterations(&source));
  boundary_source_.clear();
  for (int32_t row : source) boundary_source_.push_back(device_row[row]);
  // With beams that is chance: chunks should be alike.
  if (entries_ == 1 && IsIdentity(boundary_source_, step.plan.rows)) {
    boundary_source_.clear();
  }
  return absl::OkStatus();
}

}  // namespace continuo
