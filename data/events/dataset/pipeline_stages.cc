#include "data/events/dataset/pipeline_stages.h"

#include "absl/strings/str_cat.h"
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

void CountTranspositions(int64_t generated, int64_t skipped, DatasetPart part,
                         Statistics* statistics, PipelineOutput* output) {
  const StageCounters counters{"TranspositionPipeline", part, statistics,
                               output};
  counters.Discard(kOutOfPitchRange, skipped);
  counters.Count("transpositions_generated", generated);
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
