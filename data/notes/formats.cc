#include "data/notes/formats.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "data/notes/abc_reader.h"
#include "data/notes/midi_reader.h"
#include "runtime/status.h"

namespace continuo {
namespace {

using Items = std::vector<NoteFileItem>;

absl::StatusOr<Items> ReadMidiItems(absl::string_view bytes) {
  Items items(1);
  CONTINUO_ASSIGN_OR_RETURN(items[0].sequence,
                            ReadMidi(bytes, &items[0].repair));
  return items;
}

absl::StatusOr<Items> ReadAbcItems(absl::string_view bytes) {
  CONTINUO_ASSIGN_OR_RETURN(AbcBook book, ReadAbc(bytes));
  Items items;
  items.reserve(book.tunes.size());
  for (AbcTune& tune : book.tunes) {
    items.push_back({.index = tune.index,
                     .status = std::move(tune.status),
                     .repair = "",
                     .sequence = std::move(tune.sequence)});
  }
  return items;
}

}  // namespace

absl::Span<const NoteFormat> NoteFormats() {
  static const auto& formats = *new std::vector<NoteFormat>{
      {.id = "midi",
       .title = "MIDI",
       .endings = {".mid", ".midi"},
       .is_book = false,
       .read = ReadMidiItems},
      {.id = "abc",
       .title = "ABC",
       .endings = {".abc"},
       .is_book = true,
       .read = ReadAbcItems},
  };
  return formats;
}

const NoteFormat* FindNoteFormat(absl::string_view filename) {
  const std::string lower = absl::AsciiStrToLower(filename);
  for (const NoteFormat& format : NoteFormats()) {
    for (const absl::string_view ending : format.endings) {
      if (absl::EndsWith(lower, ending)) return &format;
    }
  }
  return nullptr;
}

std::string NoteFormatEndings() {
  std::vector<absl::string_view> endings;
  for (const NoteFormat& format : NoteFormats()) {
    endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  }
  return absl::StrJoin(endings, ", ");
}

}  // namespace continuo
