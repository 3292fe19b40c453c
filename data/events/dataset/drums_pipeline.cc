#include "data/events/dataset/drums_pipeline.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/dataset/pipeline_stages.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kTooShort[] = "drum_tracks_discarded_too_short";
constexpr char kTooLong[] = "drum_tracks_discarded_too_long";
// Not statistics of Magenta: there is nothing to extract from.
constexpr char kNoNotes[] = "no_notes";
constexpr char kNoDrums[] = "no_drum_channel_in_file";

// The instruments of a sequence, for users who look for the drums among
// them: "instrument 0: program 0, 12 notes, pitches 36 to 42".
std::vector<std::string> DescribeInstruments(const NoteSequence& sequence) {
  struct Summary {
    int program = 0;
    int64_t notes = 0;
    int lowest = 127;
    int highest = 0;
  };
  std::map<int, Summary> instruments;
  for (const NoteSequence::Note& note : sequence.notes()) {
    Summary& summary = instruments[note.instrument()];
    summary.program = note.program();
    ++summary.notes;
    summary.lowest = std::min(summary.lowest, note.pitch());
    summary.highest = std::max(summary.highest, note.pitch());
  }
  std::vector<std::string> lines;
  for (const auto& [number, summary] : instruments) {
    constexpr size_t kMaxLines = 32;
    if (lines.size() == kMaxLines) break;
    lines.push_back(absl::StrCat("instrument ", number, ": program ",
                                 summary.program, ", ", summary.notes,
                                 " notes, pitches ", summary.lowest, " to ",
                                 summary.highest));
  }
  return lines;
}

class DrumsPipeline : public DatasetPipeline {
 public:
  explicit DrumsPipeline(const DrumsPipelineOptions& options)
      : options_(options), encoder_(MakeEventEncoder(options.encoding)) {}

  absl::string_view outputs_name() const override { return "drum_tracks"; }
  const EncodingSpec& encoding() const override { return options_.encoding; }
  absl::Status Run(DatasetPart part, NoteSequence* sequence,
                   Statistics* statistics,
                   PipelineOutput* output) const override;
  Fingerprint FingerprintOf(const NoteSequence& sequence) const override {
    return FingerprintDrums(sequence, [this](const NoteSequence::Note& note) {
      return note.is_drum() || TakenForDrum(note);
    });
  }
  std::string Remedy(absl::string_view reason) const override;

 private:
  // Whether the options make a drum of a note.
  bool TakenForDrum(const NoteSequence::Note& note) const;
  void MarkDrums(NoteSequence* sequence) const;
  // One piece in one metre and tempo, in seconds.
  absl::Status RunPiece(DatasetPart part, NoteSequence* piece,
                        Statistics* statistics, PipelineOutput* output) const;

  DrumsPipelineOptions options_;
  std::unique_ptr<EventEncoder> encoder_;
};

bool DrumsPipeline::TakenForDrum(const NoteSequence::Note& note) const {
  return options_.all_are_drums ||
         options_.drum_instruments.count(note.instrument()) > 0;
}

void DrumsPipeline::MarkDrums(NoteSequence* sequence) const {
  for (NoteSequence::Note& note : *sequence->mutable_notes()) {
    if (TakenForDrum(note)) note.set_is_drum(true);
  }
}

absl::Status DrumsPipeline::Run(DatasetPart part, NoteSequence* sequence,
                                Statistics* statistics,
                                PipelineOutput* output) const {
  KeepNotesAndGrid(sequence);
  MarkDrums(sequence);
  auto pieces = SplitOnTimeChanges(*sequence);
  if (!pieces.ok()) {
    CountQuantizeFailure(QuantizeFailure::kTimeOutOfRange,
                         pieces.status().message(), part, statistics, output);
    return absl::OkStatus();
  }
  for (NoteSequence& piece : *pieces) {
    CONTINUO_RETURN_IF_ERROR(RunPiece(part, &piece, statistics, output));
  }
  if (output->examples.empty() && output->discarded.empty()) {
    const auto sounds = [](const auto& note) { return note.velocity() > 0; };
    if (std::any_of(sequence->notes().begin(), sequence->notes().end(),
                    sounds)) {
      output->Discard(kNoDrums, 1);
      output->details = DescribeInstruments(*sequence);
    } else {
      output->Discard(kNoNotes, 1);
    }
  }
  return absl::OkStatus();
}

absl::Status DrumsPipeline::RunPiece(DatasetPart part, NoteSequence* piece,
                                     Statistics* statistics,
                                     PipelineOutput* output) const {
  QuantizeFailure failure = QuantizeFailure::kNone;
  const absl::Status quantized =
      QuantizeMetric(options_.steps_per_quarter, piece, &failure);
  if (!quantized.ok()) {
    CountQuantizeFailure(failure, quantized.message(), part, statistics,
                         output);
    return absl::OkStatus();
  }
  const DrumsExtractOptions& extract = options_.extract;
  const auto extracted = ExtractDrumTracks(*piece, extract);
  if (!extracted.ok()) {  // longer than memory should hold
    output->Discard(kTooLong, 1);
    output->details.emplace_back(extracted.status().message());
    return absl::OkStatus();
  }
  const DrumsExtraction& extraction = *extracted;
  const StageCounters counters{"DrumsExtractor", part, statistics, output};
  if (extraction.non_integer_steps_per_bar) {
    counters.Discard(kNonIntegerStepsPerBar, 1);
    return absl::OkStatus();
  }
  counters.Discard(kTooShort, extraction.drum_tracks_discarded_too_short);
  counters.Discard(kTooLong, extraction.drum_tracks_discarded_too_long);
  counters.Count("drum_tracks_truncated", extraction.drum_tracks_truncated);
  const int min_bars = extract.min_bars;
  statistics->Distribute(
      StatisticName(counters.stage, part, "drum_track_lengths_in_bars"),
      {0, 1, 10, 20, 30, 40, 50, 100, 200, 500, min_bars / 2, min_bars,
       min_bars + 1, min_bars - 1},
      extraction.lengths_in_bars);
  for (const DrumTrack& track : extraction.drum_tracks) {
    CONTINUO_RETURN_IF_ERROR(AddExample(
        *encoder_, DrumTrackToEvents(DrumClassesOf(options_.encoding), track),
        output));
  }
  return absl::OkStatus();
}

std::string DrumsPipeline::Remedy(absl::string_view reason) const {
  if (reason == kNoDrums) {
    return "no note is marked as a drum, which MIDI does by channel 10: "
           "`treat_as_drums`=all, or the numbers of the instruments that are "
           "drums; `report` lists the instruments of each file";
  }
  if (reason == kNoNotes) {
    return "there are no notes, or only silent ones: check the input";
  }
  if (reason == kTooShort) {
    return absl::StrCat("a drum track needs ", options_.extract.min_bars,
                        " bars without a bar of silence: use longer ones");
  }
  return StageRemedy(reason, options_.steps_per_quarter);
}

}  // namespace

std::unique_ptr<DatasetPipeline> MakeDrumsPipeline(
    const DrumsPipelineOptions& options) {
  return std::make_unique<DrumsPipeline>(options);
}

}  // namespace continuo
