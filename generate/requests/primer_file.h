// SPDX-License-Identifier: Apache-2.0

// Primers from music files.

#ifndef CONTINUO_GENERATE_REQUESTS_PRIMER_FILE_H_
#define CONTINUO_GENERATE_REQUESTS_PRIMER_FILE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

// The notes of a music file in any format that is read elsewhere, known by its
// ending; of a name without one, of MIDI. Of a book of tunes the first that can
// be read. With `instrument` only its notes. Errors name the field and the
// file; a file without notes is warned about, `then` says what happens.
absl::StatusOr<tensorflow::magenta::NoteSequence> ReadPrimerFile(
    const std::string& path, std::optional<int> instrument,
    const ReadOptions& reading, absl::string_view then);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PRIMER_FILE_H_
