// SPDX-License-Identifier: Apache-2.0

// The flags of primers that all *_generate commands have.

#ifndef CONTINUO_GENERATE_COMMANDS_PRIMER_FLAGS_H_
#define CONTINUO_GENERATE_COMMANDS_PRIMER_FLAGS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/proto/music.pb.h"

namespace continuo {

// The notes of the file `path`, those of --primer_instrument alone if that is
// given, read as --reading says (ReadPrimerFile).
absl::StatusOr<tensorflow::magenta::NoteSequence> ReadPrimerOfFlags(
    const std::string& path, absl::string_view then);

// `status` with a remedy if the primer was too long (OutOfRange).
absl::Status WithRemedy(const absl::Status& status, absl::string_view remedy);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_PRIMER_FLAGS_H_
