#include "generate/primer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "generate/literal.h"
#include "runtime/random.h"
#include "runtime/status.h"

namespace continuo {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

absl::StatusOr<Melody> ParseMelodyPrimer(absl::string_view text) {
  CONTINUO_ASSIGN_OR_RETURN(const Literal literal, ParseLiteral(text));
  const auto error = [&](absl::string_view message, size_t position) {
    return absl::InvalidArgumentError(PointAt(message, text, position));
  };
  if (!literal.is_sequence()) {
    return error("a list is needed, as in [60, -2, 62]", literal.position);
  }
  if (literal.items.empty()) {
    return error(
        "the list is empty; leave the flag out to begin with a "
        "random note",
        literal.position);
  }
  std::vector<Event> events;
  for (const Literal& item : literal.items) {
    if (item.kind != Literal::Kind::kInt) {
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

Melody RandomFirstNote(uint64_t seed, uint64_t output,
                       const EncodingSpec& encoding) {
  const uint64_t range =
      static_cast<uint64_t>(encoding.max_note - encoding.min_note);
  const uint64_t above =
      RandomBelow(seed, RandomPurpose::kPrimer, output, 0, range);
  return Melody{.events = {encoding.min_note + static_cast<Event>(above)}};
}

absl::StatusOr<GeneratorOptions> ContinuationRequest(
    const NoteSequence& primer, double qpm, int steps_per_quarter,
    int num_steps, const SearchOptions& search) {
  // The order of these operations is the original's: the truncations that
  // follow depend on the last bit.
  const double seconds_per_step = 60.0 / qpm / steps_per_quarter;
  double last_end = 0;
  for (const NoteSequence::Note& note : primer.notes()) {
    last_end = std::max(last_end, note.end_time());
  }
  GeneratorOptions options;
  auto* section = options.add_generate_sections();
  section->set_start_time(last_end + seconds_per_step);
  section->set_end_time(num_steps * seconds_per_step);
  if (section->start_time() >= section->end_time()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the primer ends at ", last_end, " s, and --num_steps=", num_steps,
        " ends at ", section->end_time(),
        " s with the primer included: nothing is left to generate; raise "
        "--num_steps or shorten the primer"));
  }
  auto& args = *options.mutable_args();
  args["temperature"].set_float_value(search.temperature);
  args["beam_size"].set_int_value(search.beam_size);
  args["branch_factor"].set_int_value(search.branch_factor);
  args["steps_per_iteration"].set_int_value(search.steps_per_iteration);
  return options;
}

}  // namespace continuo
