// SPDX-License-Identifier: Apache-2.0

// Any text as list primers, control values and a control file.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "generate/requests/parse_primer.h"
#include "generate/requests/performance_controls.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace continuo;  // NOLINT
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ParseDrumsPrimer(text);
  (void)ParseChordPrimer(text);
  (void)ParseNotesPerSecond(text);
  (void)ParsePitchClassHistogram(text);
  (void)ParseDisableConditioning(text);
  const auto controls = ParseControlFile(text);
  if (controls.ok()) MakeControlSchedule(*controls, 100);
  return 0;
}
