// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/primer_file.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/notes/convert/formats.h"
#include "data/notes/midi/midi_reader.h"
#include "generate/requests/primer_instruments.h"
#include "google/protobuf/arena.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// The first piece that can be read; if there is none, why the first cannot.
absl::StatusOr<NoteSequence> FirstPiece(const NoteFormat& format,
                                        const std::string& bytes,
                                        const ReadOptions& reading,
                                        const std::string& path) {
  google::protobuf::Arena arena;
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<NoteFileItem> items,
                            format.read(bytes, reading, &arena));
  absl::Status first = absl::InvalidArgumentError(
      absl::StrCat("no piece of ", format.title, " in it"));
  for (const NoteFileItem& item : items) {
    if (item.status.ok()) {
      if (items.size() > 1) {
        LogInfo(path, " holds ", items.size(), " tunes: number ", item.index,
                " is continued");
      }
      return *item.sequence;
    }
    if (&item == &items[0]) first = item.status;
  }
  return first;
}

absl::StatusOr<NoteSequence> Read(const std::string& path,
                                  const ReadOptions& reading) {
  CONTINUO_ASSIGN_OR_RETURN(const std::string bytes,
                            ReadFile(path, kMaxNoteFileBytes));
  const NoteFormat* format = FindNoteFormat(path, bytes);
  absl::StatusOr<NoteSequence> notes =
      format == nullptr ? ReadMidi(bytes, reading)
                        : FirstPiece(*format, bytes, reading, path);
  return notes.ok() ? std::move(notes) : Annotate(notes.status(), path);
}

}  // namespace

absl::StatusOr<NoteSequence> ReadPrimerFile(const std::string& path,
                                            std::optional<int> instrument,
                                            const ReadOptions& reading,
                                            absl::string_view then) {
  absl::StatusOr<NoteSequence> notes = Read(path, reading);
  CONTINUO_RETURN_IF_ERROR(Annotate(notes.status(), "`primer_midi`"));
  if (notes->notes().empty()) {
    LogWarn(path, " has no notes: ", then);
  } else if (instrument.has_value()) {
    CONTINUO_RETURN_IF_ERROR(KeepInstrument(*instrument, &*notes));
  }
  return notes;
}

}  // namespace continuo
