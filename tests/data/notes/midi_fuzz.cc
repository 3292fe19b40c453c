// Any bytes as a MIDI file: no crash, values in their ranges, and what is
// written from it can be read again. Seeds: tests/golden/midi/midi/*.mid.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/notes/midi_parser.h"
#include "data/notes/midi_reader.h"
#include "data/notes/midi_writer.h"
#include "runtime/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto sequence = continuo::ReadMidi(bytes);
  if (!sequence.ok()) return 0;
  CONTINUO_CHECK(sequence->notes_size() <= continuo::kMaxMidiEvents);
  CONTINUO_CHECK(sequence->tempos_size() > 0);
  for (const auto& note : sequence->notes()) {
    CONTINUO_CHECK(note.pitch() >= 0 && note.pitch() < 128);
    CONTINUO_CHECK(note.start_time() >= 0);
    // Equal where the ticks are finer than doubles that far out.
    CONTINUO_CHECK(note.end_time() >= note.start_time());
    CONTINUO_CHECK(note.end_time() <= sequence->total_time());
  }
  // The writer may refuse (gaps and tempos that MIDI cannot hold), never fail.
  const auto written = continuo::WriteMidi(*sequence);
  if (!written.ok()) return 0;
  const auto again = continuo::ReadMidi(*written);
  CONTINUO_CHECK(again.ok());
  CONTINUO_CHECK(again->notes_size() <= sequence->notes_size());
  return 0;
}
