// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/pipeline_stages.h"

#include "absl/strings/str_cat.h"
#include "data/notes/split.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kBadMetre[] = "sequences_discarded_because_bad_time_signature";
constexpr char kMetreChanges[] =
    "sequences_discarded_because_multiple_time_signatures";
constexpr char kTempoChanges[] = "sequences_discarded_because_multiple_tempos";
// Magenta ends with an exception on these.
constexpr char kNegativeTime[] = "sequences_discarded_because_negative_time";
constexpr char kTimeOutOfRange[] =
    "sequences_discarded_because_time_out_of_range";

// Never among the data set's examples, which have more.
constexpr char kSingleEvent[] = "fewer_than_two_events";

constexpr char kOutOfPitchRange[] = "skipped_due_to_range_exceeded";

const char* FailureName(QuantizeFailure failure) {
  switch (failure) {
    case QuantizeFailure::kMultipleTimeSignatures:
      return kMetreChanges;
    case QuantizeFailure::kMultipleTempos:
      return kTempoChanges;
    case QuantizeFailure::kBadTimeSignature:
      return kBadMetre;
    case QuantizeFailure::kNegativeTime:
      return kNegativeTime;
    case QuantizeFailure::kTimeOutOfRange:
    case QuantizeFailure::kNone:
      break;
  }
  return kTimeOutOfRange;
}

}  // namespace

absl::Status AddExample(const EventEncoder& encoder,
                        absl::Span<const Event> events,
                        PipelineOutput* output) {
  if (events.size() < 2) {
    output->Discard(kSingleEvent, 1);
    return absl::OkStatus();
  }
  EncodedSequence example;
  CONTINUO_RETURN_IF_ERROR(EncodeSequence(encoder, events, &example));
  output->examples.push_back(std::move(example));
  return absl::OkStatus();
}

void StageCounters::Count(absl::string_view name, int64_t amount) const {
  statistics->Count(StatisticName(stage, part, name), amount);
}

void StageCounters::Discard(absl::string_view name, int64_t amount) const {
  Count(name, amount);
  output->Discard(name, amount);
}

void StageCounters::CountBars(absl::string_view name,
                              absl::Span<const int64_t> lengths,
                              int min_bars) const {
  statistics->Distribute(StatisticName(stage, part, name),
                         {0, 1, 10, 20, 30, 40, 50, 100, 200, 500, min_bars / 2,
                          min_bars, min_bars + 1, min_bars - 1},
                         lengths);
}

void KeepNotesAndGrid(NoteSequence* sequence) {
  NoteSequence slim;
  slim.set_total_time(sequence->total_time());
  slim.mutable_notes()->Swap(sequence->mutable_notes());
  slim.mutable_time_signatures()->Swap(sequence->mutable_time_signatures());
  slim.mutable_tempos()->Swap(sequence->mutable_tempos());
  sequence->Swap(&slim);
}

void CountQuantizeFailure(QuantizeFailure failure, absl::string_view message,
                          DatasetPart part, Statistics* statistics,
                          PipelineOutput* output) {
  StageCounters{"Quantizer", part, statistics, output}.Discard(
      FailureName(failure), 1);
  output->details.emplace_back(message);
}

absl::Status RunMetricPieces(
    const NoteSequence& sequence, int steps_per_quarter, DatasetPart part,
    Statistics* statistics, PipelineOutput* output,
    absl::FunctionRef<absl::Status(NoteSequence*)> run) {
  absl::StatusOr<std::vector<NoteSequence>> pieces =
      SplitOnTimeChanges(sequence);
  if (!pieces.ok()) {
    CountQuantizeFailure(QuantizeFailure::kTimeOutOfRange,
                         pieces.status().message(), part, statistics, output);
    return absl::OkStatus();
  }
  for (NoteSequence& piece : *pieces) {
    QuantizeFailure failure = QuantizeFailure::kNone;
    const absl::Status quantized =
        QuantizeMetric(steps_per_quarter, &piece, &failure);
    if (!quantized.ok()) {
      CountQuantizeFailure(failure, quantized.message(), part, statistics,
                           output);
      continue;
    }
    CONTINUO_RETURN_IF_ERROR(run(&piece));
  }
  return absl::OkStatus();
}

bool TransposeNotes(int amount, NoteSequence* sequence) {
  constexpr int64_t kMaxPitch = 127;
  for (const NoteSequence::Note& note : sequence->notes()) {
    const int64_t pitch = int64_t{note.pitch()} + amount;
    if (!note.is_drum() && (pitch < 0 || pitch > kMaxPitch)) return false;
  }
  for (NoteSequence::Note& note : *sequence->mutable_notes()) {
    if (!note.is_drum()) note.set_pitch(note.pitch() + amount);
  }
  return true;
}

absl::Status RunTranspositions(
    absl::Span<const int> amounts, NoteSequence* piece, DatasetPart part,
    Statistics* statistics, PipelineOutput* output,
    absl::FunctionRef<absl::Status(const NoteSequence&)> run) {
  int64_t generated = 0;
  int64_t skipped = 0;
  int transposed_by = 0;
  for (int amount : amounts) {
    if (!TransposeNotes(amount - transposed_by, piece)) {
      ++skipped;
      continue;
    }
    transposed_by = amount;
    ++generated;
    CONTINUO_RETURN_IF_ERROR(run(*piece));
  }
  const StageCounters counters{"TranspositionPipeline", part, statistics,
                               output};
  counters.Discard(kOutOfPitchRange, skipped);
  counters.Count("transpositions_generated", generated);
  return absl::OkStatus();
}

std::string StageRemedy(absl::string_view reason, int steps_per_quarter) {
  if (reason == kNonIntegerStepsPerBar || reason == kBadMetre) {
    return absl::StrCat("a bar must be a whole number of 1/",
                        4 * steps_per_quarter,
                        " notes: correct the time signatures");
  }
  if (reason == kSingleEvent) return "use longer music";
  if (reason == kOutOfPitchRange) {
    return "pitches must lie in 0..127: correct or transpose the input";
  }
  return "the times, tempos or time signatures of these sequences are "
         "damaged: convert them again";
}

}  // namespace continuo
