#include "data/events/melody_pipeline.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/melody_extract.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "runtime/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kBadMetre[] = "sequences_discarded_because_bad_time_signature";
constexpr char kMetreChanges[] =
    "sequences_discarded_because_multiple_time_signatures";
constexpr char kTempoChanges[] = "sequences_discarded_because_multiple_tempos";
// The original ends with an exception on these.
constexpr char kNegativeTime[] = "sequences_discarded_because_negative_time";
constexpr char kTimeOutOfRange[] =
    "sequences_discarded_because_time_out_of_range";

constexpr char kOutOfPitchRange[] = "skipped_due_to_range_exceeded";
constexpr char kPolyphonic[] = "polyphonic_tracks_discarded";
constexpr char kTooShort[] = "melodies_discarded_too_short";
constexpr char kTooFewPitches[] = "melodies_discarded_too_few_pitches";
constexpr char kTooLong[] = "melodies_discarded_too_long";
constexpr char kNonIntegerBars[] = "non_integer_steps_per_bar";
// Not a statistic of the original: nothing to extract from.
constexpr char kNoMelodicNotes[] = "no_melodic_notes";

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

// Drops what the stages do not look at, which bounds the cost of splitting a
// sequence of many time changes into many copies of the rest.
void KeepNotesAndGrid(NoteSequence* sequence) {
  NoteSequence slim;
  slim.set_total_time(sequence->total_time());
  slim.mutable_notes()->Swap(sequence->mutable_notes());
  slim.mutable_time_signatures()->Swap(sequence->mutable_time_signatures());
  slim.mutable_tempos()->Swap(sequence->mutable_tempos());
  sequence->Swap(&slim);
}

// Adds `amount` to the pitches of all but drum notes; false if one leaves
// 0..127.
bool Transpose(int amount, NoteSequence* sequence) {
  for (NoteSequence::Note& note : *sequence->mutable_notes()) {
    if (note.is_drum()) continue;
    const int64_t pitch = int64_t{note.pitch()} + amount;
    if (pitch < 0 || pitch > kMaxMelodyPitch) return false;
    note.set_pitch(static_cast<int>(pitch));
  }
  return true;
}

class MelodyPipeline : public DatasetPipeline {
 public:
  explicit MelodyPipeline(const MelodyPipelineOptions& options)
      : options_(options),
        extract_options_(TrainingMelodyOptions()),
        encoder_(MakeEventEncoder(options.encoding)) {
    extract_options_.ignore_polyphonic_notes = options.ignore_polyphonic_notes;
  }

  absl::string_view outputs_name() const override { return "melodies"; }
  int num_heads() const override { return encoder_->num_heads(); }
  absl::Status Run(DatasetPart part, NoteSequence* sequence,
                   Statistics* statistics,
                   PipelineOutput* output) const override;
  std::string Remedy(absl::string_view reason) const override;

 private:
  // One piece in one metre and tempo, in seconds.
  absl::Status RunPiece(DatasetPart part, NoteSequence* piece,
                        Statistics* statistics, PipelineOutput* output) const;
  // One quantized piece in one transposition.
  absl::Status RunTransposed(DatasetPart part, const NoteSequence& piece,
                             Statistics* statistics,
                             PipelineOutput* output) const;

  MelodyPipelineOptions options_;
  MelodyExtractOptions extract_options_;
  std::unique_ptr<EventEncoder> encoder_;
};

void Fail(const char* name, DatasetPart part, absl::string_view message,
          Statistics* statistics, PipelineOutput* output) {
  statistics->Count(StatisticName("Quantizer", part, name), 1);
  output->Discard(name, 1);
  output->details.emplace_back(message);
}

absl::Status MelodyPipeline::Run(DatasetPart part, NoteSequence* sequence,
                                 Statistics* statistics,
                                 PipelineOutput* output) const {
  KeepNotesAndGrid(sequence);
  auto pieces = SplitOnTimeChanges(*sequence);
  if (!pieces.ok()) {
    Fail(kTimeOutOfRange, part, pieces.status().message(), statistics, output);
    return absl::OkStatus();
  }
  for (NoteSequence& piece : *pieces) {
    CONTINUO_RETURN_IF_ERROR(RunPiece(part, &piece, statistics, output));
  }
  if (output->examples.empty() && output->discarded.empty()) {
    output->Discard(kNoMelodicNotes, 1);
  }
  return absl::OkStatus();
}

absl::Status MelodyPipeline::RunPiece(DatasetPart part, NoteSequence* piece,
                                      Statistics* statistics,
                                      PipelineOutput* output) const {
  QuantizeFailure failure = QuantizeFailure::kNone;
  const absl::Status quantized =
      QuantizeMetric(options_.steps_per_quarter, piece, &failure);
  if (!quantized.ok()) {
    Fail(FailureName(failure), part, quantized.message(), statistics, output);
    return absl::OkStatus();
  }
  int64_t generated = 0;
  int64_t skipped = 0;
  for (size_t i = 0; i < options_.transpositions.size(); ++i) {
    const bool last = i + 1 == options_.transpositions.size();
    NoteSequence transposed = last ? std::move(*piece) : *piece;
    if (!Transpose(options_.transpositions[i], &transposed)) {
      ++skipped;
      continue;
    }
    ++generated;
    CONTINUO_RETURN_IF_ERROR(
        RunTransposed(part, transposed, statistics, output));
  }
  constexpr char kStage[] = "TranspositionPipeline";
  statistics->Count(StatisticName(kStage, part, kOutOfPitchRange), skipped);
  statistics->Count(StatisticName(kStage, part, "transpositions_generated"),
                    generated);
  output->Discard(kOutOfPitchRange, skipped);
  return absl::OkStatus();
}

absl::Status MelodyPipeline::RunTransposed(DatasetPart part,
                                           const NoteSequence& piece,
                                           Statistics* statistics,
                                           PipelineOutput* output) const {
  CONTINUO_ASSIGN_OR_RETURN(MelodyExtraction extraction,
                            ExtractMelodies(piece, extract_options_));
  const auto count = [&](const char* name, int64_t amount) {
    statistics->Count(StatisticName("MelodyExtractor", part, name), amount);
  };
  if (extraction.non_integer_steps_per_bar) {
    count(kNonIntegerBars, 1);
    output->Discard(kNonIntegerBars, 1);
    return absl::OkStatus();
  }
  const std::pair<const char*, int64_t> discards[] = {
      {kPolyphonic, extraction.polyphonic_tracks_discarded},
      {kTooShort, extraction.melodies_discarded_too_short},
      {kTooFewPitches, extraction.melodies_discarded_too_few_pitches},
      {kTooLong, extraction.melodies_discarded_too_long}};
  for (const auto& [name, amount] : discards) {
    count(name, amount);
    output->Discard(name, amount);
  }
  count("melodies_truncated", extraction.melodies_truncated);
  const int min_bars = extract_options_.min_bars;
  statistics->Distribute(
      StatisticName("MelodyExtractor", part, "melody_lengths_in_bars"),
      {0, 1, 10, 20, 30, 40, 50, 100, 200, 500, min_bars / 2, min_bars,
       min_bars + 1, min_bars - 1},
      extraction.lengths_in_bars);
  const EncodingSpec& encoding = options_.encoding;
  for (Melody& melody : extraction.melodies) {
    SquashEvents(encoding.min_note, encoding.max_note,
                 encoding.transpose_to_key, absl::MakeSpan(melody.events));
    EncodedSequence example;
    CONTINUO_RETURN_IF_ERROR(
        EncodeSequence(*encoder_, melody.events, &example));
    output->examples.push_back(std::move(example));
  }
  return absl::OkStatus();
}

std::string MelodyPipeline::Remedy(absl::string_view reason) const {
  if (reason == kPolyphonic) {
    return "notes start together: --ignore_polyphonic_notes keeps the highest "
           "of them";
  }
  if (reason == kTooShort) {
    return absl::StrCat("a melody needs ", extract_options_.min_bars,
                        " bars without a bar of silence: use longer tunes");
  }
  if (reason == kTooFewPitches) {
    return absl::StrCat("a melody needs ", extract_options_.min_unique_pitches,
                        " different pitches, octaves aside");
  }
  if (reason == kNoMelodicNotes) {
    return "there are no notes, or only drums and silent ones: check that the "
           "input holds melodies";
  }
  if (reason == kNonIntegerBars || reason == kBadMetre) {
    return absl::StrCat("a bar must be a whole number of 1/",
                        4 * options_.steps_per_quarter,
                        " notes: correct the time signatures");
  }
  if (reason == kOutOfPitchRange) {
    return "pitches must lie in 0..127: correct or transpose the input";
  }
  return "the times, tempos or time signatures of these sequences are "
         "damaged: convert them again";
}

}  // namespace

std::unique_ptr<DatasetPipeline> MakeMelodyPipeline(
    const MelodyPipelineOptions& options) {
  return std::make_unique<MelodyPipeline>(options);
}

}  // namespace continuo
