// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/drums_pipeline.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/events/dataset/pipeline_stages.h"
#include "data/notes/instruments.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kDrumTrackTooShort[] = "drum_tracks_discarded_too_short";
constexpr char kDrumTrackTooLong[] = "drum_tracks_discarded_too_long";
// Not statistics of Magenta: there is nothing to extract from.
constexpr char kNoDrums[] = "no_drum_channel_in_file";

// The instruments of a sequence, for users who look for the drums among
// them: "instrument 0: program 0, 12 notes, pitches 36 to 42".
std::vector<std::string> InstrumentLines(const NoteSequence& sequence) {
  std::vector<std::string> lines;
  for (const auto& [number, summary] : SummarizeInstruments(sequence)) {
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
  // One quantized piece.
  absl::Status RunPiece(DatasetPart part, const NoteSequence& piece,
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
  CONTINUO_RETURN_IF_ERROR(
      RunMetricPieces(*sequence, options_.steps_per_quarter, part, statistics,
                      output, [&](NoteSequence* piece) {
                        return RunPiece(part, *piece, statistics, output);
                      }));
  if (output->examples.empty() && output->discarded.empty()) {
    const auto sounds = [](const auto& note) { return note.velocity() > 0; };
    if (std::any_of(sequence->notes().begin(), sequence->notes().end(),
                    sounds)) {
      output->Discard(kNoDrums, 1);
      output->details = InstrumentLines(*sequence);
    } else {
      output->Discard(kNoNotes, 1);
    }
  }
  return absl::OkStatus();
}

absl::Status DrumsPipeline::RunPiece(DatasetPart part,
                                     const NoteSequence& piece,
                                     Statistics* statistics,
                                     PipelineOutput* output) const {
  const auto extracted = ExtractDrumTracks(piece, options_.extract);
  if (!extracted.ok()) {  // longer than memory should hold
    output->Discard(kDrumTrackTooLong, 1);
    output->details.emplace_back(extracted.status().message());
    return absl::OkStatus();
  }
  const DrumsExtraction& extraction = *extracted;
  const StageCounters counters{"DrumsExtractor", part, statistics, output};
  if (extraction.non_integer_steps_per_bar) {
    counters.Discard(kNonIntegerStepsPerBar, 1);
    return absl::OkStatus();
  }
  counters.Discard(kDrumTrackTooShort,
                   extraction.drum_tracks_discarded_too_short);
  counters.Discard(kDrumTrackTooLong,
                   extraction.drum_tracks_discarded_too_long);
  counters.Count("drum_tracks_truncated", extraction.drum_tracks_truncated);
  counters.CountBars("drum_track_lengths_in_bars", extraction.lengths_in_bars,
                     options_.extract.min_bars);
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
  if (reason == kDrumTrackTooShort) {
    return absl::StrCat("a drum track needs ", options_.extract.min_bars,
                        " bars without a bar of silence: use longer ones");
  }
  return StageRemedy(reason, options_.steps_per_quarter);
}

}  // namespace

absl::Status ParseTreatAsDrums(absl::string_view text,
                               DrumsPipelineOptions* options) {
  options->all_are_drums = text == "all";
  if (text.empty() || options->all_are_drums) return absl::OkStatus();
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    int number = 0;
    if (!absl::SimpleAtoi(word, &number) || number < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("`treat_as_drums`=", text,
                       ": expected \"all\" or instrument numbers such as 0,2"));
    }
    options->drum_instruments.insert(number);
  }
  return absl::OkStatus();
}

std::unique_ptr<DatasetPipeline> MakeDrumsPipeline(
    const DrumsPipelineOptions& options) {
  return std::make_unique<DrumsPipeline>(options);
}

}  // namespace continuo
