// SPDX-License-Identifier: Apache-2.0

#include "generate/commands/primer_flags.h"

#include <optional>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/notes/reading.h"
#include "generate/requests/primer_file.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(int, primer_instrument, -1,
          "Instrument of --primer_midi to continue, by its number; -1 takes "
          "all notes. A primer that cannot be continued as a whole is refused "
          "with a list of its instruments");
ABSL_FLAG(continuo::Reading, reading, continuo::Reading::kStandard,
          "How the file of --primer_midi is read: by its format's standard, or "
          "as Magenta reads it");

namespace continuo {

absl::StatusOr<tensorflow::magenta::NoteSequence> ReadPrimerOfFlags(
    const std::string& path, absl::string_view then) {
  const int instrument = absl::GetFlag(FLAGS_primer_instrument);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("primer_instrument", instrument, -1));
  return ReadPrimerFile(
      path, instrument < 0 ? std::nullopt : std::optional<int>(instrument),
      {.reading = absl::GetFlag(FLAGS_reading)}, then);
}

absl::Status WithRemedy(const absl::Status& status, absl::string_view remedy) {
  if (!absl::IsOutOfRange(status)) return status;
  return absl::OutOfRangeError(absl::StrCat(status.message(), "; ", remedy));
}

}  // namespace continuo
