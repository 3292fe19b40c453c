// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/sections.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/melody/melody_extract.h"
#include "data/notes/quantize.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

constexpr double kDefaultQpm = 120;

absl::Status CheckTime(double seconds, double steps_per_second,
                       absl::string_view what) {
  // Also false for not-a-number.
  if (seconds >= 0 && seconds * steps_per_second < kMaxMelodySteps) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is ", seconds, " s; it must be between 0 and ",
                   kMaxMelodySteps / steps_per_second, " s"));
}

NoteSequence TrimNotes(const NoteSequence& input, double start, double end) {
  NoteSequence trimmed = input;
  trimmed.clear_notes();
  trimmed.set_total_time(std::min(input.total_time(), end));
  for (const NoteSequence::Note& note : input.notes()) {
    if (note.start_time() < start || note.start_time() >= end) continue;
    NoteSequence::Note* kept = trimmed.add_notes();
    *kept = note;
    kept->set_end_time(std::min(note.end_time(), end));
  }
  return trimmed;
}

// `section` has the tempo.
absl::StatusOr<Section> Resolve(const NoteSequence& input,
                                const GeneratorOptions& options,
                                double steps_per_second, Section section) {
  if (options.input_sections_size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("input_sections has ", options.input_sections_size(),
                     " entries; at most one is supported"));
  }
  if (options.generate_sections_size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("generate_sections has ", options.generate_sections_size(),
                     " entries; exactly one is supported"));
  }
  const auto& wanted = options.generate_sections(0);
  CONTINUO_RETURN_IF_ERROR(CheckTime(wanted.start_time(), steps_per_second,
                                     "the start of the generate section"));
  CONTINUO_RETURN_IF_ERROR(CheckTime(wanted.end_time(), steps_per_second,
                                     "the end of the generate section"));
  if (options.input_sections_size() == 1) {
    const auto& kept = options.input_sections(0);
    CONTINUO_RETURN_IF_ERROR(CheckTime(kept.start_time(), steps_per_second,
                                       "the start of the input section"));
    section.primer = TrimNotes(input, kept.start_time(), kept.end_time());
    section.search_start_step =
        QuantizeToStep(kept.start_time(), steps_per_second, /*cutoff=*/0);
  } else {
    section.primer = input;
  }

  double last_end = 0;
  for (const NoteSequence::Note& note : section.primer.notes()) {
    last_end = std::max(last_end, note.end_time());
  }
  if (last_end > wanted.start_time()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the generate section begins at ", wanted.start_time(),
                     " s, before the last note of the primer ends at ",
                     last_end, " s; a sequence can only be extended"));
  }
  // Cutoff 0 moves a start on the grid to the next step; cutoff 1 keeps the end
  // from exceeding the request.
  section.start_step =
      QuantizeToStep(wanted.start_time(), steps_per_second, /*cutoff=*/0);
  section.end_step =
      QuantizeToStep(wanted.end_time(), steps_per_second, /*cutoff=*/1);
  section.end_time = wanted.end_time();
  return section;
}

}  // namespace

absl::StatusOr<Section> ResolveSection(const NoteSequence& input,
                                       const GeneratorOptions& options,
                                       int steps_per_quarter) {
  Section section;
  section.qpm = input.tempos_size() > 0 ? input.tempos(0).qpm() : kDefaultQpm;
  if (!(section.qpm > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the first tempo of the primer is ", section.qpm, " qpm"));
  }
  return Resolve(input, options, StepsPerSecond(steps_per_quarter, section.qpm),
                 std::move(section));
}

absl::StatusOr<Section> ResolveQuantizedSection(const NoteSequence& input,
                                                const GeneratorOptions& options,
                                                int steps_per_quarter) {
  CONTINUO_ASSIGN_OR_RETURN(Section section,
                            ResolveSection(input, options, steps_per_quarter));
  CONTINUO_RETURN_IF_ERROR(
      Annotate(QuantizeMetric(steps_per_quarter, &section.primer), "primer"));
  return section;
}

absl::StatusOr<Section> ResolveSectionInTime(const NoteSequence& input,
                                             const GeneratorOptions& options,
                                             int steps_per_second) {
  return Resolve(input, options, steps_per_second, Section());
}

absl::Status BarsNotWhole(double steps_per_bar, int steps_per_quarter) {
  return absl::InvalidArgumentError(absl::StrCat(
      "primer: a bar has ", steps_per_bar, " steps of a ", steps_per_quarter,
      "th of a quarter note; use a meter whose bars are whole steps"));
}

absl::Status ExtendPrimer(const Section& section, int64_t begin,
                          absl::FunctionRef<void(int64_t)> set_length) {
  if (section.start_step <= begin) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the primer begins at step ", begin, ", and step ", section.start_step,
        " is the first to generate: nothing is left of the primer"));
  }
  const int64_t length = section.start_step - begin;
  set_length(length);
  if (section.end_step > begin + length) return absl::OkStatus();
  return absl::OutOfRangeError(
      absl::StrCat("the primer, extended to the first step to generate, fills ",
                   length, " of the ", section.end_step - begin,
                   " steps asked for; it must be shorter"));
}

SearchOptions SearchOptionsFromArgs(const GeneratorOptions& options) {
  SearchOptions search;
  for (const auto& [name, value] : options.args()) {
    if (name == "temperature") {
      search.sampling.temperature = value.float_value();
    }
    if (name == "beam_size") search.beam_size = value.int_value();
    if (name == "branch_factor") search.branch_factor = value.int_value();
    if (name == "steps_per_iteration") {
      search.steps_per_iteration = value.int_value();
    }
  }
  return search;
}

}  // namespace continuo
