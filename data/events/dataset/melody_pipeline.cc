// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/melody_pipeline.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/dataset/pipeline_stages.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kPolyphonic[] = "polyphonic_tracks_discarded";
constexpr char kMelodyTooShort[] = "melodies_discarded_too_short";
constexpr char kTooFewPitches[] = "melodies_discarded_too_few_pitches";
constexpr char kMelodyTooLong[] = "melodies_discarded_too_long";
// Not a statistic of Magenta: nothing to extract from.
constexpr char kNoMelodicNotes[] = "no_melodic_notes";

class MelodyPipeline : public DatasetPipeline {
 public:
  explicit MelodyPipeline(const MelodyPipelineOptions& options)
      : options_(options), encoder_(MakeEventEncoder(options.encoding)) {}

  absl::string_view outputs_name() const override { return "melodies"; }
  const EncodingSpec& encoding() const override { return options_.encoding; }
  absl::Status Run(DatasetPart part, NoteSequence* sequence,
                   Statistics* statistics,
                   PipelineOutput* output) const override;
  Fingerprint FingerprintOf(const NoteSequence& sequence) const override {
    return FingerprintMelody(sequence);
  }
  std::string Remedy(absl::string_view reason) const override;

 private:
  // One quantized piece in one transposition.
  absl::Status RunTransposed(DatasetPart part, const NoteSequence& piece,
                             Statistics* statistics,
                             PipelineOutput* output) const;

  MelodyPipelineOptions options_;
  std::unique_ptr<EventEncoder> encoder_;
};

absl::Status MelodyPipeline::Run(DatasetPart part, NoteSequence* sequence,
                                 Statistics* statistics,
                                 PipelineOutput* output) const {
  KeepNotesAndGrid(sequence);
  CONTINUO_RETURN_IF_ERROR(RunMetricPieces(
      *sequence, options_.steps_per_quarter, part, statistics, output,
      [&](NoteSequence* piece) {
        return RunTranspositions(
            options_.transpositions, piece, part, statistics, output,
            [&](const NoteSequence& transposed) {
              return RunTransposed(part, transposed, statistics, output);
            });
      }));
  if (output->examples.empty() && output->discarded.empty()) {
    output->Discard(kNoMelodicNotes, 1);
  }
  return absl::OkStatus();
}

absl::Status MelodyPipeline::RunTransposed(DatasetPart part,
                                           const NoteSequence& piece,
                                           Statistics* statistics,
                                           PipelineOutput* output) const {
  auto extracted = ExtractMelodies(piece, options_.extract);
  if (!extracted.ok()) {  // longer than memory should hold
    output->Discard(kMelodyTooLong, 1);
    output->details.emplace_back(extracted.status().message());
    return absl::OkStatus();
  }
  MelodyExtraction& extraction = *extracted;
  const StageCounters counters{"MelodyExtractor", part, statistics, output};
  if (extraction.non_integer_steps_per_bar) {
    counters.Discard(kNonIntegerStepsPerBar, 1);
    return absl::OkStatus();
  }
  counters.Discard(kPolyphonic, extraction.polyphonic_tracks_discarded);
  counters.Discard(kMelodyTooShort, extraction.melodies_discarded_too_short);
  counters.Discard(kTooFewPitches,
                   extraction.melodies_discarded_too_few_pitches);
  counters.Discard(kMelodyTooLong, extraction.melodies_discarded_too_long);
  counters.Count("melodies_truncated", extraction.melodies_truncated);
  counters.CountBars("melody_lengths_in_bars", extraction.lengths_in_bars,
                     options_.extract.min_bars);
  const EncodingSpec& encoding = options_.encoding;
  for (Melody& melody : extraction.melodies) {
    SquashEvents(encoding.min_note, encoding.max_note,
                 encoding.transpose_to_key, absl::MakeSpan(melody.events));
    CONTINUO_RETURN_IF_ERROR(AddExample(*encoder_, melody.events, output));
  }
  return absl::OkStatus();
}

std::string MelodyPipeline::Remedy(absl::string_view reason) const {
  if (reason == kPolyphonic) {
    return "notes start together: `ignore_polyphonic_notes` keeps the highest "
           "of them";
  }
  if (reason == kMelodyTooShort) {
    return absl::StrCat("a melody needs ", options_.extract.min_bars,
                        " bars without a bar of silence: use longer tunes");
  }
  if (reason == kTooFewPitches) {
    return absl::StrCat("a melody needs ", options_.extract.min_unique_pitches,
                        " different pitches, octaves aside");
  }
  if (reason == kNoMelodicNotes) {
    return "there are no notes, or only drums and silent ones: check that the "
           "input holds melodies";
  }
  return StageRemedy(reason, options_.steps_per_quarter);
}

}  // namespace

std::unique_ptr<DatasetPipeline> MakeMelodyPipeline(
    const MelodyPipelineOptions& options) {
  return std::make_unique<MelodyPipeline>(options);
}

}  // namespace continuo
