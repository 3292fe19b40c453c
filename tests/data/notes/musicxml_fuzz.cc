// Fuzzes the MusicXML reader with plain XML and, where the bytes begin like a
// zip archive, with compressed scores. What it reads must keep its promises.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/notes/musicxml_reader.h"
#include "data/notes/musicxml_state.h"
#include "runtime/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto sequence = continuo::ReadMusicXml(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!sequence.ok()) {
    CONTINUO_CHECK(!sequence.status().message().empty());
    return 0;
  }
  for (const auto& note : sequence->notes()) {
    CONTINUO_CHECK(note.pitch() >= 0 && note.pitch() <= 127);
    CONTINUO_CHECK(note.velocity() >= 0 && note.velocity() <= 127);
    CONTINUO_CHECK(note.start_time() >= 0);
    CONTINUO_CHECK(note.end_time() >= note.start_time());
    CONTINUO_CHECK(note.end_time() <= continuo::kMaxScoreSeconds);
    CONTINUO_CHECK(note.denominator() > 0);
  }
  const auto check_time = [](double time) {
    CONTINUO_CHECK(std::abs(time) <= continuo::kMaxScoreSeconds);
  };
  check_time(sequence->total_time());
  for (const auto& symbol : sequence->text_annotations()) {
    check_time(symbol.time());
  }
  for (const auto& key : sequence->key_signatures()) check_time(key.time());
  for (const auto& tempo : sequence->tempos()) check_time(tempo.time());
  for (const auto& signature : sequence->time_signatures()) {
    check_time(signature.time());
    CONTINUO_CHECK(signature.numerator() >= 0 && signature.denominator() > 0);
  }
  for (const auto& tempo : sequence->tempos()) CONTINUO_CHECK(tempo.qpm() > 0);
  // Strings that are no UTF-8 would not come back.
  tensorflow::magenta::NoteSequence copy;
  CONTINUO_CHECK(copy.ParseFromString(sequence->SerializeAsString()));
  return 0;
}
