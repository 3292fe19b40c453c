// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/formats.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/notes/abc/abc_reader.h"
#include "data/notes/midi/midi_reader.h"
#include "data/notes/musicxml/musicxml_reader.h"
#include "data/records/file_kind.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using ::google::protobuf::Arena;
using ::tensorflow::magenta::NoteSequence;
using Items = std::vector<NoteFileItem>;

absl::StatusOr<Items> ReadMidiItems(absl::string_view bytes,
                                    const ReadOptions& options, Arena* arena) {
  Items items(1);
  items[0].sequence = Arena::CreateMessage<NoteSequence>(arena);
  CONTINUO_RETURN_IF_ERROR(
      ReadMidi(bytes, items[0].sequence, options, &items[0].report));
  return items;
}

absl::StatusOr<Items> ReadMusicXmlItems(absl::string_view bytes,
                                        const ReadOptions& options,
                                        Arena* arena) {
  Items items(1);
  items[0].sequence = Arena::CreateMessage<NoteSequence>(arena);
  CONTINUO_RETURN_IF_ERROR(
      ReadMusicXml(bytes, items[0].sequence, options, &items[0].report));
  return items;
}

absl::StatusOr<Items> ReadAbcItems(absl::string_view bytes,
                                   const ReadOptions& options, Arena* arena) {
  CONTINUO_ASSIGN_OR_RETURN(AbcBook book, ReadAbc(bytes, options));
  Items items;
  items.reserve(book.tunes.size());
  for (AbcTune& tune : book.tunes) {
    NoteFileItem item;
    item.index = tune.index;
    item.status = tune.status;
    item.report = std::move(tune.report);
    if (tune.status.ok()) {
      item.sequence = Arena::CreateMessage<NoteSequence>(arena);
      *item.sequence = std::move(tune.sequence);
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

absl::Span<const NoteFormat> NoteFormats() {
  static const auto& formats = *new std::vector<NoteFormat>{
      {.id = "midi",
       .title = "MIDI",
       .endings = {".mid", ".midi", ".kar", ".rmi"},
       .is_book = false,
       .read = ReadMidiItems},
      {.id = "musicxml",
       .title = "MusicXML",
       .endings = {".xml", ".musicxml", ".mxl"},
       .is_book = false,
       .read = ReadMusicXmlItems},
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

const NoteFormat* FindNoteFormat(absl::string_view filename,
                                 absl::string_view bytes) {
  if (const NoteFormat* named = FindNoteFormat(filename)) return named;
  switch (KindOfFile(bytes)) {
    case FileKind::kMidi:
      return FindNoteFormat(".mid");
    case FileKind::kMusicXml:
    case FileKind::kCompressedMusicXml:
      return FindNoteFormat(".xml");
    case FileKind::kAbc:
      return FindNoteFormat(".abc");
    default:
      return nullptr;
  }
}

std::string NoteFormatEndings() {
  std::vector<absl::string_view> endings;
  for (const NoteFormat& format : NoteFormats()) {
    endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  }
  return absl::StrJoin(endings, ", ");
}

std::string NoteFormatSummary() {
  std::vector<std::string> formats;
  for (const NoteFormat& format : NoteFormats()) {
    formats.push_back(absl::StrCat(format.title, " (",
                                   absl::StrJoin(format.endings, ", "), ")"));
  }
  return absl::StrJoin(formats, ", ");
}

}  // namespace continuo
