// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_magenta.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "data/notes/musicxml/musicxml_magenta_measure.h"
#include "data/notes/musicxml/musicxml_magenta_state.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Channel and program of the first <midi-instrument>, if it has both.
absl::Status ReadInstrument(const PartNodes& part, MagentaState* state) {
  state->channel = 0;
  state->program = 0;
  const pugi::xml_node first = part.listed.child("midi-instrument");
  const pugi::xml_node channel = first.child("midi-channel");
  const pugi::xml_node program = first.child("midi-program");
  if (!channel || !program) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(
      state->channel, XmlInteger(channel, "midi-channel", &state->repair));
  CONTINUO_ASSIGN_OR_RETURN(
      state->program, XmlInteger(program, "midi-program", &state->repair));
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadAsMagenta(const std::vector<PartNodes>& parts,
                           tensorflow::magenta::NoteSequence* sequence,
                           ReadReport* report) {
  MagentaState state;
  MagentaBuilder builder{.sequence = sequence, .report = report};
  double total = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const PartNodes& part = parts[i];
    if (const absl::Status status = ReadInstrument(part, &state);
        !status.ok()) {
      return AtPlace(status, absl::StrCat("score-part \"",
                                          QuoteForMessage(part.id), "\""));
    }
    state.time = 0;
    state.transpose = 0;
    for (const MeasureNode& measure : part.measures) {
      const absl::Status status = ReadMagentaMeasure(
          measure.node, static_cast<int>(i), &state, &builder);
      if (!status.ok()) return AtPlace(status, PlaceOf(part, i, measure));
    }
    total = std::max(total, state.time);
  }
  if (!state.repair.text().empty()) {
    return absl::InvalidArgumentError(state.repair.text());
  }
  sequence->set_total_time(total);
  // The defaults: C major, and the tempo in force at the end.
  if (sequence->key_signatures().empty()) sequence->add_key_signatures();
  if (sequence->tempos().empty()) sequence->add_tempos()->set_qpm(state.qpm);
  return absl::OkStatus();
}

}  // namespace continuo
