// SPDX-License-Identifier: Apache-2.0

// Compressed MusicXML (.mxl): a zip archive whose META-INF/container.xml names
// the score's XML file.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_CONTAINER_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_CONTAINER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"

namespace continuo {

// True if `bytes` begin like a zip archive, whatever the file's name says.
bool IsZipArchive(absl::string_view bytes);

// The bytes of the score in the archive: the first root file that the
// container declares as MusicXML (or without a type). Where the container is
// missing, damaged or names a file that is not there, the archive's only XML
// file outside META-INF.
//
// InvalidArgument for a damaged archive, an encrypted or exotically compressed
// score, or none or several candidates; ResourceExhausted for a score beyond
// the limit of ParseXml, as declared or as it unpacks.
absl::StatusOr<std::string> ExtractMusicXml(absl::string_view bytes,
                                            ScoreRepair* repair);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_CONTAINER_H_
