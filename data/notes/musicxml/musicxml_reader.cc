// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_reader.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/notes/defaults.h"
#include "data/notes/musicxml/musicxml_container.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_magenta.h"
#include "data/notes/musicxml/musicxml_parts.h"
#include "data/notes/musicxml/musicxml_score_reader.h"
#include "data/notes/musicxml/musicxml_sequence.h"
#include "pugixml.hpp"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

// Magenta's fixed resolution, whatever the score's divisions.

absl::Status StartSequence(const std::vector<PartNodes>& parts,
                           NoteSequence* sequence) {
  sequence->Clear();
  sequence->set_ticks_per_quarter(kDefaultTicksPerQuarter);
  NoteSequence::SourceInfo* source = sequence->mutable_source_info();
  source->set_source_type(NoteSequence::SourceInfo::SCORE_BASED);
  source->set_encoding_type(NoteSequence::SourceInfo::MUSIC_XML);
  source->set_parser(NoteSequence::SourceInfo::MAGENTA_MUSIC_XML);
  return AddPartInfos(parts, sequence);
}

absl::Status ReadParts(const std::vector<PartNodes>& parts, Reading reading,
                       NoteSequence* sequence, ScoreRepair* repair,
                       ReadReport* report) {
  CONTINUO_RETURN_IF_ERROR(StartSequence(parts, sequence));
  if (reading == Reading::kMagenta && repair->text().empty()) {
    const absl::Status status = ReadAsMagenta(parts, sequence, report);
    if (status.ok()) return absl::OkStatus();
    repair->Add(status.message());
    report->warnings.clear();
    CONTINUO_RETURN_IF_ERROR(StartSequence(parts, sequence));
  }
  CONTINUO_ASSIGN_OR_RETURN(const WrittenScore score,
                            ReadWrittenScore(parts, repair, report));
  return AddPlayedScore(score, sequence, report);
}

}  // namespace

absl::Status ReadMusicXml(absl::string_view bytes, NoteSequence* sequence,
                          const ReadOptions& options, ReadReport* report) {
  ReadReport unwanted;
  if (report == nullptr) report = &unwanted;
  *report = {};
  ScoreRepair repair;
  std::string unpacked;
  if (IsZipArchive(bytes)) {
    CONTINUO_ASSIGN_OR_RETURN(unpacked, ExtractMusicXml(bytes, &repair));
    bytes = unpacked;
  }
  pugi::xml_document document;
  CONTINUO_RETURN_IF_ERROR(ParseXml(bytes, &document));
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<PartNodes> parts,
                            FindParts(document.document_element(), &repair));
  CONTINUO_RETURN_IF_ERROR(
      ReadParts(parts, options.reading, sequence, &repair, report));
  report->repair = repair.text();
  return absl::OkStatus();
}

absl::StatusOr<NoteSequence> ReadMusicXml(absl::string_view bytes,
                                          const ReadOptions& options,
                                          ReadReport* report) {
  NoteSequence sequence;
  CONTINUO_RETURN_IF_ERROR(ReadMusicXml(bytes, &sequence, options, report));
  return sequence;
}

}  // namespace continuo
