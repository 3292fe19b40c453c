// SPDX-License-Identifier: Apache-2.0

// Information fields as Magenta parses them, quirks included; nothing where it
// fails. See abc_fields.h for the forms beyond it.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_FIELDS_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_FIELDS_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_fields.h"
#include "data/notes/abc/abc_rational.h"

namespace continuo {

// An optional sign and at most nine digits with white space around.
std::optional<int64_t> ParseMagentaInteger(absl::string_view text);

// A key; "^c _b" after it, also inside words ("clef=bass" makes B natural).
std::optional<AbcKey> ParseMagentaKey(absl::string_view text);

// "C", "C|", "none" or two integers with "/" between them, not zero.
std::optional<AbcMeter> ParseMagentaMeter(absl::string_view text);

// "1/8", "1"; numbers may be negative.
std::optional<AbcRational> ParseMagentaUnit(absl::string_view text);

struct MagentaTempo {
  bool ignored = false;  // words only
  AbcRational unit;
  bool has_unit = false;  // false: the rate counts unit note lengths
  int64_t rate = 0;
};
std::optional<MagentaTempo> ParseMagentaTempo(absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_FIELDS_H_
