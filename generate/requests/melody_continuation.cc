// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/melody_continuation.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/melody/melody.h"
#include "data/events/melody/melody_extract.h"
#include "data/notes/quantize.h"
#include "generate/requests/primer_instruments.h"
#include "generate/requests/sections.h"
#include "runtime/base/counted.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

class MelodyContinuation : public Continuation {
 public:
  MelodyContinuation(Melody melody, int transposition, const Section& section)
      : melody_(std::move(melody)),
        transposition_(transposition),
        num_events_(section.end_step - melody_.end_step()),
        qpm_(section.qpm),
        end_time_(section.end_time) {}

  const std::vector<Event>& primer() const override { return melody_.events; }
  int64_t num_events() const override { return num_events_; }

  absl::StatusOr<NoteSequence> Finish(
      std::vector<Event> events) const override {
    TransposeEvents(-transposition_, 0, kMaxMelodyPitch + 1,
                    absl::MakeSpan(events));
    Melody melody = melody_;
    melody.events = std::move(events);
    NoteSequence sequence = MelodyToSequence(melody, {.qpm = qpm_});
    // The end step was rounded down, so this is arithmetic gone wrong.
    CONTINUO_CHECK(sequence.total_time() - end_time_ <= 1e-5);
    return sequence;
  }

 private:
  Melody melody_;
  int transposition_;
  int64_t num_events_;
  double qpm_;
  double end_time_;
};

// Notes beyond the range of the network come out of it in another octave.
void WarnOfFoldedNotes(absl::Span<const Event> given,
                       absl::Span<const Event> events, int transposition) {
  int64_t folded = 0;
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i] >= 0 && events[i] != given[i] + transposition) ++folded;
  }
  if (folded == 0) return;
  LogWarn("primer: ", Counted(folded, "note"), " beyond the range of the ",
          "network ", folded == 1 ? "is" : "are", " moved by octaves");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Continuation>> MakeMelodyContinuation(
    const NoteSequence& input, const GeneratorOptions& options,
    const ModelConfig& config) {
  CONTINUO_ASSIGN_OR_RETURN(
      const Section section,
      ResolveQuantizedSection(input, options, config.steps_per_quarter));
  MelodyExtractOptions extract = PrimingMelodyOptions();
  extract.search_start_step = section.search_start_step;
  CONTINUO_ASSIGN_OR_RETURN(MelodyExtraction extraction,
                            ExtractMelodies(section.primer, extract));
  const double steps_per_bar = StepsPerBar(section.primer);
  if (extraction.non_integer_steps_per_bar) {
    return BarsNotWhole(steps_per_bar, config.steps_per_quarter);
  }
  if (extraction.melodies.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("primer: ", extraction.melodies.size(),
                     " instruments play notes, and one melody is continued: ",
                     DescribeInstruments(input)));
  }

  Melody melody;
  if (!extraction.melodies.empty() && !extraction.melodies[0].events.empty()) {
    melody = std::move(extraction.melodies[0]);
  } else {
    melody =
        SilentPrimer<Melody>(section, steps_per_bar, config.steps_per_quarter);
  }
  CONTINUO_RETURN_IF_ERROR(ExtendPrimer(
      section, melody.start_step,
      [&melody](int64_t steps) { SetMelodyLength(steps, &melody); }));
  const EncodingSpec& encoding = config.encoding;
  const std::vector<Event> given = melody.events;
  const int transposition =
      SquashEvents(encoding.min_note, encoding.max_note,
                   encoding.transpose_to_key, absl::MakeSpan(melody.events));
  WarnOfFoldedNotes(given, melody.events, transposition);
  return std::make_unique<MelodyContinuation>(std::move(melody), transposition,
                                              section);
}

absl::StatusOr<std::unique_ptr<Continuation>> BeginMelody(
    Event first, double qpm, int num_steps, const ModelConfig& config) {
  if (num_steps < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`num_steps`=", num_steps,
        ": nothing is left to generate after the first step; must be at least "
        "2"));
  }
  Melody melody;
  melody.events = {first};
  melody.steps_per_quarter = config.steps_per_quarter;
  melody.steps_per_bar = int64_t{4} * config.steps_per_quarter;
  Section section;
  section.qpm = qpm;
  section.start_step = 1;
  section.end_step = num_steps;
  section.end_time = num_steps * (60.0 / qpm / config.steps_per_quarter);
  return std::make_unique<MelodyContinuation>(std::move(melody),
                                              /*transposition=*/0, section);
}

}  // namespace continuo
