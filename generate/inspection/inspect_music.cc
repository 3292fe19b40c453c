// SPDX-License-Identifier: Apache-2.0

// MIDI, MusicXML and ABC files.

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/notes/convert/formats.h"
#include "data/notes/instruments.h"
#include "generate/inspection/inspect.h"
#include "google/protobuf/arena.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Tempo and time signature changes that are shown.
constexpr int kMaxChanges = 8;

std::string Tempos(const NoteSequence& sequence) {
  std::vector<std::string> parts;
  for (const auto& tempo : sequence.tempos()) {
    if (static_cast<int>(parts.size()) == kMaxChanges) {
      parts.push_back("...");
      break;
    }
    parts.push_back(absl::StrCat(tempo.qpm()));
  }
  return absl::StrJoin(parts, ", ");
}

std::string Metres(const NoteSequence& sequence) {
  std::vector<std::string> parts;
  for (const auto& time : sequence.time_signatures()) {
    if (static_cast<int>(parts.size()) == kMaxChanges) {
      parts.push_back("...");
      break;
    }
    parts.push_back(absl::StrCat(time.numerator(), "/", time.denominator()));
  }
  return absl::StrJoin(parts, ", ");
}

Facts Instruments(const NoteSequence& sequence) {
  Facts list = Facts::array();
  for (const auto& [number, instrument] : SummarizeInstruments(sequence)) {
    list.push_back({{"instrument", number},
                    {"program", instrument.program},
                    {"drums", instrument.drums},
                    {"notes", instrument.notes},
                    {"lowest_pitch", instrument.lowest},
                    {"highest_pitch", instrument.highest}});
  }
  return list;
}

// One tune of a book, as a row.
Facts TuneFacts(const NoteFileItem& item) {
  Facts facts;
  facts["tune"] = item.index;
  if (!item.status.ok()) {
    facts["title"] = nullptr;
    facts["error"] = std::string(item.status.message());
    return facts;
  }
  const NoteSequence& sequence = *item.sequence;
  facts["title"] = sequence.sequence_metadata().title();
  facts["notes"] = sequence.notes_size();
  facts["seconds"] = sequence.total_time();
  facts["qpm"] = Tempos(sequence);
  facts["metre"] = Metres(sequence);
  facts["warnings"] = item.report.WarningText();
  return facts;
}

}  // namespace

absl::StatusOr<Facts> InspectMusic(const std::string& path,
                                   absl::string_view ending,
                                   const ReadOptions& reading) {
  const NoteFormat* format = FindNoteFormat(absl::StrCat("x", ending));
  CONTINUO_CHECK(format != nullptr);
  CONTINUO_ASSIGN_OR_RETURN(const std::string bytes,
                            ReadFile(path, kMaxNoteFileBytes));
  google::protobuf::Arena arena;
  const auto items = format->read(bytes, reading, &arena);
  CONTINUO_RETURN_IF_ERROR(Annotate(items.status(), path));
  Facts facts;
  facts["file"] = path;
  facts["kind"] = absl::StrCat(format->title, " file");
  if (format->is_book) {
    facts["tunes"] = Facts::array();
    for (const NoteFileItem& item : *items) {
      facts["tunes"].push_back(TuneFacts(item));
    }
    return facts;
  }
  for (const NoteFileItem& item : *items) {
    CONTINUO_RETURN_IF_ERROR(Annotate(item.status, path));
    const NoteSequence& sequence = *item.sequence;
    facts["title"] = sequence.sequence_metadata().title();
    facts["notes"] = sequence.notes_size();
    facts["seconds"] = sequence.total_time();
    facts["ticks_per_quarter"] = sequence.ticks_per_quarter();
    facts["qpm"] = Tempos(sequence);
    facts["metre"] = Metres(sequence);
    facts["control_changes"] = sequence.control_changes_size();
    facts["pitch_bends"] = sequence.pitch_bends_size();
    if (!item.report.repair.empty()) facts["repaired"] = item.report.repair;
    if (!item.report.warnings.empty()) {
      facts["warnings"] = item.report.WarningText();
    }
    facts["instruments"] = Instruments(sequence);
  }
  return facts;
}

}  // namespace continuo
