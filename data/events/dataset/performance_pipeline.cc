// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/performance_pipeline.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/dataset/pipeline_stages.h"
#include "data/events/performance/control_source.h"
#include "data/events/performance/controls.h"
#include "data/events/performance/performance_extract.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "data/notes/stretch.h"
#include "data/notes/sustain.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kPerformanceTooShort[] = "performances_discarded_too_short";
constexpr char kPrograms[] = "performances_discarded_more_than_1_program";
constexpr char kLongShift[] = "performance_discarded_too_many_time_shift_steps";
constexpr char kLongNote[] = "performance_discarded_too_many_duration_steps";
// Not statistics of Magenta, which fails on the second one.
constexpr char kBadNotes[] = "damaged_notes";

// Drops what the stages do not look at; pedals go once they are written out.
void KeepNotesAndPedals(NoteSequence* sequence) {
  NoteSequence slim;
  slim.set_total_time(sequence->total_time());
  slim.mutable_notes()->Swap(sequence->mutable_notes());
  slim.mutable_control_changes()->Swap(sequence->mutable_control_changes());
  sequence->Swap(&slim);
}

class PerformancePipeline : public DatasetPipeline {
 public:
  explicit PerformancePipeline(const PerformancePipelineOptions& options)
      : options_(options),
        extract_(TrainingPerformanceOptions(
            options.encoding.num_velocity_bins,
            options.encoding.encoding == Encoding::kNoteTuples)),
        encoder_(MakeEventEncoder(options.encoding)) {
    extract_.min_events_discard = options.min_events;
    extract_.max_events_truncate = options.max_events;
  }

  absl::string_view outputs_name() const override { return "performances"; }
  const EncodingSpec& encoding() const override { return options_.encoding; }
  absl::Status Run(DatasetPart part, NoteSequence* sequence,
                   Statistics* statistics,
                   PipelineOutput* output) const override;
  Fingerprint FingerprintOf(const NoteSequence& sequence) const override {
    return FingerprintPerformance(sequence);
  }
  std::string Remedy(absl::string_view reason) const override;

 private:
  // One piece of at most split_seconds.
  absl::Status RunPiece(DatasetPart part, NoteSequence* piece,
                        Statistics* statistics, PipelineOutput* output) const;
  // One quantized piece in one transposition.
  absl::Status RunTransposed(DatasetPart part, const NoteSequence& piece,
                             Statistics* statistics,
                             PipelineOutput* output) const;
  absl::StatusOr<std::vector<NoteSequence>> Split(NoteSequence sequence) const;
  absl::Status Encode(const Performance& performance,
                      PipelineOutput* output) const;

  PerformancePipelineOptions options_;
  PerformanceExtractOptions extract_;
  std::unique_ptr<EventEncoder> encoder_;
};

absl::Status PerformancePipeline::Run(DatasetPart part, NoteSequence* sequence,
                                      Statistics* statistics,
                                      PipelineOutput* output) const {
  if (sequence->notes().empty()) {
    output->Discard(kNoNotes, 1);
    return absl::OkStatus();
  }
  KeepNotesAndPedals(sequence);
  if (const absl::Status finite = CheckFiniteTimes(*sequence); !finite.ok()) {
    CountQuantizeFailure(QuantizeFailure::kTimeOutOfRange, finite.message(),
                         part, statistics, output);
    return absl::OkStatus();
  }
  ApplySustain(sequence);
  sequence->clear_control_changes();
  const std::vector<double> as_it_is = {1.0};
  for (double factor :
       part == DatasetPart::kTraining ? options_.stretch_factors : as_it_is) {
    NoteSequence stretched = *sequence;
    StretchSequence(factor, &stretched);
    auto pieces = Split(std::move(stretched));
    if (!pieces.ok()) {
      CountQuantizeFailure(QuantizeFailure::kTimeOutOfRange,
                           pieces.status().message(), part, statistics, output);
      return absl::OkStatus();
    }
    for (NoteSequence& piece : *pieces) {
      CONTINUO_RETURN_IF_ERROR(RunPiece(part, &piece, statistics, output));
    }
  }
  if (output->examples.empty() && output->discarded.empty()) {
    output->Discard(kNoNotes, 1);  // that last any time
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<NoteSequence>> PerformancePipeline::Split(
    NoteSequence sequence) const {
  if (options_.split_seconds > 0) {
    return SplitEvery(options_.split_seconds, sequence);
  }
  std::vector<NoteSequence> pieces;
  pieces.push_back(std::move(sequence));
  return pieces;
}

absl::Status PerformancePipeline::RunPiece(DatasetPart part,
                                           NoteSequence* piece,
                                           Statistics* statistics,
                                           PipelineOutput* output) const {
  QuantizeFailure failure = QuantizeFailure::kNone;
  const absl::Status quantized =
      QuantizeAbsolute(kPerformanceStepsPerSecond, piece, &failure);
  if (!quantized.ok()) {
    CountQuantizeFailure(failure, quantized.message(), part, statistics,
                         output);
    return absl::OkStatus();
  }
  const std::vector<int> as_it_is = {0};
  return RunTranspositions(
      part == DatasetPart::kTraining ? options_.transpositions : as_it_is,
      piece, part, statistics, output, [&](const NoteSequence& transposed) {
        return RunTransposed(part, transposed, statistics, output);
      });
}

absl::Status PerformancePipeline::RunTransposed(DatasetPart part,
                                                const NoteSequence& piece,
                                                Statistics* statistics,
                                                PipelineOutput* output) const {
  const StageCounters counters{"PerformanceExtractor", part, statistics,
                               output};
  const auto extraction = ExtractPerformance(piece, extract_);
  if (!extraction.ok()) {
    output->Discard(kBadNotes, 1);
    output->details.emplace_back(extraction.status().message());
    return absl::OkStatus();
  }
  counters.Discard(kPerformanceTooShort,
                   extraction->performances_discarded_too_short);
  counters.Discard(kPrograms,
                   extraction->performances_discarded_more_than_1_program);
  counters.Discard(kLongShift,
                   extraction->performance_discarded_too_many_time_shift_steps);
  counters.Discard(kLongNote,
                   extraction->performance_discarded_too_many_duration_steps);
  counters.Count("performances_truncated", extraction->performances_truncated);
  // No performance is cut by its time, but Magenta counts how many.
  counters.Count("performances_truncated_timewise", 0);
  std::vector<int64_t> seconds;
  if (extraction->performance.has_value()) {
    seconds.push_back(PerformanceSteps(*extraction->performance) /
                      kPerformanceStepsPerSecond);
  }
  statistics->Distribute(
      StatisticName(counters.stage, part, "performance_lengths_in_seconds"),
      {5, 10, 20, 30, 40, 60, 120}, seconds);
  if (!extraction->performance.has_value()) return absl::OkStatus();
  return Encode(*extraction->performance, output);
}

absl::Status PerformancePipeline::Encode(const Performance& performance,
                                         PipelineOutput* output) const {
  const ControlSpec& spec = options_.encoding.controls;
  const auto add = [&](const EventEncoder& encoder) {
    return AddExample(encoder, performance.events, output);
  };
  if (!spec.any() || performance.events.empty()) return add(*encoder_);
  std::vector<ControlValues> values = MeasureControls(spec, performance.events);
  // A model with optional controls also learns to do without.
  const std::vector<bool> as_measured = {false};
  for (bool disabled :
       spec.optional ? options_.controls_disabled : as_measured) {
    for (ControlValues& value : values) value.disabled = disabled;
    CONTINUO_RETURN_IF_ERROR(add(*MakeEventEncoder(
        options_.encoding, std::make_shared<ControlTrack>(values))));
  }
  return absl::OkStatus();
}

std::string PerformancePipeline::Remedy(absl::string_view reason) const {
  if (reason == kPerformanceTooShort) {
    return absl::StrCat("a piece of ", options_.split_seconds,
                        " seconds needs ", options_.min_events.value_or(0),
                        " events: leave out sparse or very short recordings");
  }
  if (reason == kPrograms) {
    return "a performance has one instrument sound: split the file by program, "
           "or give all of its notes the same one";
  }
  if (reason == kLongShift || reason == kLongNote) {
    return "this configuration holds rests and notes of up to 10 seconds: use "
           "another `config` or leave out such recordings";
  }
  if (reason == kNoNotes) {
    return "there are no notes: check that the input holds music";
  }
  if (reason == kBadNotes) {
    return "pitches must lie in 0..127, velocities in 1..127, and notes must "
           "end after they start: convert the files again";
  }
  return StageRemedy(reason, /*steps_per_quarter=*/4);
}

}  // namespace

std::unique_ptr<DatasetPipeline> MakePerformancePipeline(
    const PerformancePipelineOptions& options) {
  return std::make_unique<PerformancePipeline>(options);
}

}  // namespace continuo
