// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/performance_continuation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/performance/note_tuple.h"
#include "data/events/performance/performance.h"
#include "data/events/performance/performance_extract.h"
#include "data/notes/quantize.h"
#include "generate/requests/primer_instruments.h"
#include "generate/requests/sections.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

constexpr double kEventsPerNote = 4.0;

// A model that has learned nothing may shift time rarely or never; after this
// many times the expected number of events the rest stays silent.
constexpr int64_t kMaxRounds = 16;

class Request : public PerformanceContinuation {
 public:
  // The first `hidden` events of the primer only start the model.
  Request(Performance primer, int hidden, int64_t total_steps,
          double mean_density, double end_time)
      : primer_(std::move(primer)),
        hidden_(hidden),
        total_steps_(total_steps),
        density_(std::max(1.0, mean_density)),
        end_time_(end_time) {
    num_events_ = Estimate(total_steps_ - Steps(primer_.events));
  }

  const std::vector<Event>& primer() const override { return primer_.events; }
  int64_t num_events() const override { return num_events_; }
  int64_t total_steps() const override { return total_steps_; }

  int64_t Missing(absl::Span<const Event> events) const override {
    const int64_t generated =
        static_cast<int64_t>(events.size() - primer_.events.size());
    if (generated >= kMaxRounds * num_events_) return 0;
    return Estimate(total_steps_ - Steps(events));
  }

  absl::StatusOr<NoteSequence> Finish(
      std::vector<Event> events) const override {
    Performance performance = primer_;
    events.erase(events.begin(), events.begin() + hidden_);
    performance.events = std::move(events);
    SetPerformanceLength(total_steps_, &performance);
    NoteSequence sequence = PerformanceToSequence(
        performance, {.max_note_duration = kMaxGeneratedNoteSeconds});
    // The end step was rounded down, so this is arithmetic gone wrong.
    CONTINUO_CHECK(sequence.total_time() - end_time_ <= 1e-5);
    return sequence;
  }

 private:
  // Events that `steps` of music take; 0 if there is nothing left.
  int64_t Estimate(int64_t steps) const {
    if (steps <= 0) return 0;
    // The order of these operations is Magenta's.
    return static_cast<int64_t>(
        std::ceil(kEventsPerNote * density_ * static_cast<double>(steps) /
                  kPerformanceStepsPerSecond));
  }

  // Time up to the end of the last event. Of note tuples the onset of the last
  // counts: longer ones are cut at the end.
  int64_t Steps(absl::Span<const Event> events) const {
    int64_t steps = 0;
    for (Event event : events) steps += PerformanceEventSteps(event);
    return steps;
  }

  Performance primer_;
  int hidden_;
  int64_t total_steps_;
  double density_;
  double end_time_;
  int64_t num_events_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PerformanceContinuation>>
MakePerformanceContinuation(const NoteSequence& input,
                            const GeneratorOptions& options,
                            const ModelConfig& config, double mean_density) {
  CONTINUO_ASSIGN_OR_RETURN(
      Section section,
      ResolveSectionInTime(input, options, kPerformanceStepsPerSecond));
  CONTINUO_RETURN_IF_ERROR(Annotate(
      QuantizeAbsolute(kPerformanceStepsPerSecond, &section.primer), "primer"));
  const bool tuples = config.encoding.encoding == Encoding::kNoteTuples;
  const absl::StatusOr<PerformanceExtraction> extraction = ExtractPerformance(
      section.primer, {.start_step = section.search_start_step,
                       .num_velocity_bins = config.encoding.num_velocity_bins,
                       .note_tuples = tuples});
  CONTINUO_RETURN_IF_ERROR(Annotate(extraction.status(), "primer"));
  if (extraction->performances_discarded_more_than_1_program > 0) {
    LogWarn(
        "the primer has several programs and is left out: its notes must "
        "share one: ",
        DescribeInstruments(input));
  }
  if (extraction->performance_discarded_too_many_time_shift_steps > 0 ||
      extraction->performance_discarded_too_many_duration_steps > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("primer: a rest or note is longer than the ",
                     kMaxTupleSteps / kPerformanceStepsPerSecond,
                     " seconds that this configuration can express"));
  }
  Performance performance;
  if (extraction->performance.has_value() &&
      !extraction->performance->events.empty()) {
    performance = *extraction->performance;
  } else {
    performance.start_step = section.start_step;
    performance.num_velocity_bins = config.encoding.num_velocity_bins;
  }
  const int64_t primer_steps = section.start_step - performance.start_step;
  if (primer_steps < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the primer begins at step ", performance.start_step, ", after step ",
        section.start_step, ", the first to generate"));
  }
  SetPerformanceLength(primer_steps, &performance);
  const int64_t total = section.end_step - performance.start_step;
  if (section.end_step <= section.start_step) {
    return absl::OutOfRangeError(absl::StrCat(
        "the primer, extended to the first step to generate, fills ",
        primer_steps, " of the ", total,
        " steps asked for; it must be shorter"));
  }
  int hidden = 0;
  if (performance.events.empty()) {
    if (tuples) {
      // There is no silence among notes: a short soft one starts the model and
      // is left out of the output.
      performance.events = {PackNoteTuple({.pitch = 60})};
      hidden = 1;
    } else {
      SetPerformanceLength(std::min<int64_t>(kMaxShiftSteps, total),
                           &performance);
    }
  }
  return std::make_unique<Request>(std::move(performance), hidden, total,
                                   mean_density, section.end_time);
}

}  // namespace continuo
