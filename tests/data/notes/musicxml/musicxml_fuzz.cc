// SPDX-License-Identifier: Apache-2.0

// Fuzzes both readings of the MusicXML reader with plain XML and, where the
// bytes begin like a zip archive, with compressed scores. What it reads must
// keep its promises.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_limits.h"
#include "data/notes/musicxml/musicxml_reader.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

void CheckTime(double time) {
  CONTINUO_CHECK(std::abs(time) <= kMaxScoreSeconds);
}

void CheckNotes(const NoteSequence& sequence, bool is_standard) {
  for (const auto& note : sequence.notes()) {
    CONTINUO_CHECK(note.pitch() >= 0 && note.pitch() <= 127);
    CONTINUO_CHECK(note.velocity() >= 0 && note.velocity() <= 127);
    CONTINUO_CHECK(note.denominator() > 0);
    CONTINUO_CHECK(note.start_time() >= 0);
    CheckTime(note.end_time());
    if (!is_standard) continue;
    // Magenta takes negative durations as they are.
    CONTINUO_CHECK(note.end_time() >= note.start_time());
    CONTINUO_CHECK(note.end_time() <= sequence.total_time() + 1e-6);
    CONTINUO_CHECK(note.program() >= 0 && note.program() <= 127);
    CONTINUO_CHECK(note.numerator() >= 0);
  }
}

void CheckSequence(const NoteSequence& sequence, bool is_standard) {
  CheckNotes(sequence, is_standard);
  CheckTime(sequence.total_time());
  CONTINUO_CHECK(sequence.total_time() >= 0);
  for (const auto& symbol : sequence.text_annotations()) {
    CheckTime(symbol.time());
  }
  for (const auto& key : sequence.key_signatures()) CheckTime(key.time());
  for (const auto& tempo : sequence.tempos()) {
    CheckTime(tempo.time());
    CONTINUO_CHECK(tempo.qpm() > 0);
  }
  for (const auto& signature : sequence.time_signatures()) {
    CheckTime(signature.time());
    CONTINUO_CHECK(signature.denominator() > 0);
    CONTINUO_CHECK(!is_standard || signature.numerator() > 0);
  }
  // Strings that are no UTF-8 would not come back.
  NoteSequence copy;
  CONTINUO_CHECK(copy.ParseFromString(sequence.SerializeAsString()));
}

}  // namespace
}  // namespace continuo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto reading :
       {continuo::Reading::kStandard, continuo::Reading::kMagenta}) {
    continuo::ReadReport report;
    const auto sequence = continuo::ReadMusicXml(bytes, {reading}, &report);
    if (!sequence.ok()) {
      CONTINUO_CHECK(!sequence.status().message().empty());
      continue;
    }
    // What Magenta rejects is read by the standard.
    continuo::CheckSequence(
        *sequence,
        reading == continuo::Reading::kStandard || !report.repair.empty());
  }
  return 0;
}
