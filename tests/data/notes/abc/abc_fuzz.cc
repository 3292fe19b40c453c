// SPDX-License-Identifier: Apache-2.0

// Any bytes are an ABC book or an error, within bounded time and memory.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_reader.h"
#include "runtime/base/log.h"

namespace {

void ReadAs(absl::string_view bytes, continuo::Reading reading) {
  const auto book = continuo::ReadAbc(bytes, {reading});
  if (!book.ok()) return;
  for (const auto& tune : book->tunes) {
    CONTINUO_CHECK(tune.status.ok() != tune.sequence.notes().empty());
    for (const auto& note : tune.sequence.notes()) {
      CONTINUO_CHECK(note.pitch() >= 0 && note.pitch() <= 127);
    }
    for (const auto& [kind, count] : tune.report.warnings) {
      CONTINUO_CHECK(count >= 0 && !kind.empty());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadAs(bytes, continuo::Reading::kStandard);
  ReadAs(bytes, continuo::Reading::kMagenta);
  return 0;
}
