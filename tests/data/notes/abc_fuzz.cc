// Any bytes are an ABC book or an error, within bounded time and memory.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/notes/abc_reader.h"
#include "runtime/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto book = continuo::ReadAbc(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!book.ok()) return 0;
  for (const auto& tune : book->tunes) {
    CONTINUO_CHECK(tune.status.ok() != tune.sequence.notes().empty());
    for (const auto& note : tune.sequence.notes()) {
      CONTINUO_CHECK(note.pitch() >= 0 && note.pitch() <= 127);
    }
  }
  return 0;
}
