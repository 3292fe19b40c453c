// SPDX-License-Identifier: Apache-2.0

// Any bytes as a MIDI file, by both readings: no crash, values in their ranges,
// readings that differ only where Magenta's says so, and what is written from
// it can be read again. Seeds: tests/golden/midi/midi/*.mid,
// tests/cases/midi_*.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "data/notes/midi/midi_parser.h"
#include "data/notes/midi/midi_reader.h"
#include "data/notes/midi/midi_writer.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

void Check(const NoteSequence& sequence) {
  CONTINUO_CHECK(sequence.notes_size() <= kMaxMidiEvents);
  CONTINUO_CHECK(sequence.tempos_size() > 0);
  double tempo_time = 0;
  for (const auto& tempo : sequence.tempos()) {
    CONTINUO_CHECK(tempo.qpm() > 0 && tempo.time() >= tempo_time);
    tempo_time = tempo.time();
  }
  for (const auto& meter : sequence.time_signatures()) {
    CONTINUO_CHECK(meter.numerator() > 0 && meter.denominator() > 0);
  }
  for (const auto& note : sequence.notes()) {
    CONTINUO_CHECK(note.pitch() >= 0 && note.pitch() < 128);
    CONTINUO_CHECK(note.velocity() > 0 && note.velocity() < 128);
    CONTINUO_CHECK(note.start_time() >= 0);
    // Equal where the ticks are finer than doubles that far out.
    CONTINUO_CHECK(note.end_time() >= note.start_time());
    CONTINUO_CHECK(note.end_time() <= sequence.total_time());
  }
  // The writer may refuse (gaps and tempos that MIDI cannot hold), never fail.
  const auto written = WriteMidi(sequence);
  if (!written.ok()) return;
  const auto again = ReadMidi(*written);
  CONTINUO_CHECK(again.ok());
  CONTINUO_CHECK(again->notes_size() <= sequence.notes_size());
}

void ReadBoth(absl::string_view bytes) {
  ReadReport report;
  const auto standard = ReadMidi(bytes, {Reading::kStandard});
  const auto magenta = ReadMidi(bytes, {Reading::kMagenta}, &report);
  if (standard.ok()) Check(*standard);
  if (!magenta.ok()) return;
  Check(*magenta);
  if (absl::StrContains(report.WarningText(), "as Magenta does")) return;
  CONTINUO_CHECK(standard.ok());
  CONTINUO_CHECK(standard->SerializeAsString() == magenta->SerializeAsString());
}

}  // namespace
}  // namespace continuo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  continuo::ReadBoth({reinterpret_cast<const char*>(data), size});
  return 0;
}
