// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/primer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "generate/requests/python_literal.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"

namespace continuo {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

namespace {

// The end of the last note in seconds.
double LastEnd(const NoteSequence& sequence) {
  double last_end = 0;
  for (const NoteSequence::Note& note : sequence.notes()) {
    last_end = std::max(last_end, note.end_time());
  }
  return last_end;
}

}  // namespace

absl::StatusOr<Melody> ParseMelodyPrimer(absl::string_view text) {
  CONTINUO_ASSIGN_OR_RETURN(const PythonLiteral literal,
                            ParsePythonLiteral(text));
  const auto error = [&](absl::string_view message, size_t position) {
    return absl::InvalidArgumentError(PointAt(message, text, position));
  };
  if (!literal.is_sequence()) {
    return error("a list is needed, as in [60, -2, 62]", literal.position);
  }
  if (literal.items.empty()) {
    return error(
        "the list is empty; leave it out to begin as the melodies that "
        "the network was trained on",
        literal.position);
  }
  std::vector<Event> events;
  for (const PythonLiteral& item : literal.items) {
    if (item.kind != PythonLiteral::Kind::kInt) {
      return error("melody events are whole numbers", item.position);
    }
    if (item.integer < kMelodyNoEvent || item.integer > kMaxMelodyPitch) {
      return error(
          "melody events are pitches from 0 to 127, -1 (note off) and -2 "
          "(nothing happens)",
          item.position);
    }
    events.push_back(item.integer);
  }
  return MelodyFromEvents(std::move(events));
}

Event DrawFirstEvent(uint64_t seed, uint64_t output,
                     const ModelConfig& config) {
  FirstEvents counts = config.first_events;
  if (counts.empty()) {
    const EncodingSpec& encoding = config.encoding;
    for (Event pitch = encoding.min_note; pitch < encoding.max_note; ++pitch) {
      counts[pitch] = 1;
    }
  }
  uint64_t total = 0;
  for (const auto& [event, count] : counts) total += count;
  uint64_t drawn = RandomBelow(seed, RandomPurpose::kPrimer, output, 0, total);
  for (const auto& [event, count] : counts) {
    if (drawn < static_cast<uint64_t>(count)) return event;
    drawn -= count;
  }
  CheckFailed(__FILE__, __LINE__, "a number below the sum is in one part");
}

absl::StatusOr<GeneratorOptions> ContinuationRequest(
    const NoteSequence& primer, double qpm, int steps_per_quarter,
    int num_steps, const SearchOptions& search) {
  // The order of these operations is Magenta's: the truncations that follow
  // depend on the last bit.
  const double seconds_per_step = 60.0 / qpm / steps_per_quarter;
  const double last_end = LastEnd(primer);
  GeneratorOptions options;
  auto* section = options.add_generate_sections();
  section->set_start_time(last_end + seconds_per_step);
  section->set_end_time(num_steps * seconds_per_step);
  if (section->start_time() >= section->end_time()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the primer ends at ", last_end, " s, and `num_steps`=", num_steps,
        " ends at ", section->end_time(),
        " s with the primer included: nothing is left to generate; ",
        BarsRemedy(primer, qpm, steps_per_quarter)));
  }
  auto& args = *options.mutable_args();
  args["temperature"].set_float_value(search.sampling.temperature);
  args["beam_size"].set_int_value(search.beam_size);
  args["branch_factor"].set_int_value(search.branch_factor);
  args["steps_per_iteration"].set_int_value(search.steps_per_iteration);
  return options;
}

int StepsWithBars(const NoteSequence& primer, double qpm, int steps_per_quarter,
                  int bars) {
  constexpr int kQuartersPerBar = 4;
  // Far more than a request may have, and an int.
  constexpr double kMost = 1 << 30;
  const double primer_steps =
      std::ceil(LastEnd(primer) * qpm / 60 * steps_per_quarter - 1e-6);
  return static_cast<int>(
      std::min(kMost, std::max(0.0, primer_steps) +
                          double{kQuartersPerBar} * steps_per_quarter * bars));
}

std::string BarsRemedy(const NoteSequence& primer, double qpm,
                       int steps_per_quarter) {
  constexpr int kBars = 8;
  return absl::StrCat(
      "`num_steps`=", StepsWithBars(primer, qpm, steps_per_quarter, kBars),
      " writes ", kBars, " bars after it, and so does `new_bars`=", kBars);
}

}  // namespace continuo
