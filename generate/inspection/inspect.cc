// SPDX-License-Identifier: Apache-2.0

#include "generate/inspection/inspect.h"

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/notes/convert/formats.h"
#include "data/records/file_kind.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/checkpoint.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {
namespace {

// The ending of music of this kind, which chooses its reader; empty for other
// files.
absl::string_view MusicEnding(FileKind kind) {
  switch (kind) {
    case FileKind::kMidi:
      return ".mid";
    case FileKind::kMusicXml:
      return ".xml";
    case FileKind::kCompressedMusicXml:
      return ".mxl";
    case FileKind::kAbc:
      return ".abc";
    default:
      return "";
  }
}

// What the name promises, where the contents say nothing.
absl::StatusOr<Facts> InspectByName(const std::string& path,
                                    absl::string_view bytes,
                                    const ReadOptions& reading) {
  const std::string name = absl::AsciiStrToLower(BaseName(path));
  if (absl::StrContains(name, "tfrecord") ||
      absl::StrContains(name, "tfevents")) {
    return InspectTfRecord(path);
  }
  if (absl::EndsWith(name, ".safetensors")) return InspectSafetensors(path);
  if (absl::EndsWith(name, ".mag")) return InspectBundle(path);
  for (const NoteFormat& format : NoteFormats()) {
    for (const absl::string_view ending : format.endings) {
      if (absl::EndsWith(name, ending))
        return InspectMusic(path, ending, reading);
    }
  }
  if (absl::StrContains(name, ".ckpt")) return InspectCheckpoint(path);
  if (ParseBundle(bytes, path).ok()) return InspectBundle(path);
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": not a kind of file known here (it begins with \"",
      absl::CHexEscape(bytes.substr(0, 16)),
      "\"): give a checkpoint, run folder, bundle, safetensors file, TFRecord, "
      "event file, or music"));
}

}  // namespace

absl::StatusOr<Facts> Inspect(const std::string& path,
                              const ReadOptions& reading) {
  if (IsDirectory(path)) return InspectFolder(path);
  // The file "checkpoint" stands for the folder it is in.
  const std::string folder = CheckpointFolder(path);
  if (!folder.empty()) return InspectFolder(folder);
  const std::string prefix = CheckpointPrefix(path);
  if (FileExists(absl::StrCat(prefix, ".index"))) {
    return InspectCheckpoint(prefix);
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  const absl::string_view bytes = file->bytes();
  const FileWatch watch(path, bytes);  // no fault ends the look at it
  if (bytes.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  }
  const FileKind kind = KindOfFile(bytes);
  switch (kind) {
    case FileKind::kNoteSequences:
    case FileKind::kSequenceExamples:
    case FileKind::kCompactExamples:
    case FileKind::kEvents:
    case FileKind::kOtherRecords:
      return InspectTfRecord(path);
    case FileKind::kCheckpoint:
      return InspectCheckpoint(path);
    case FileKind::kSafetensors:
      return InspectSafetensors(path);
    case FileKind::kMidi:
    case FileKind::kMusicXml:
    case FileKind::kCompressedMusicXml:
    case FileKind::kAbc:
      return InspectMusic(path, MusicEnding(kind), reading);
    case FileKind::kBundle:
    case FileKind::kEmpty:
    case FileKind::kUnknown:
      break;
  }
  return InspectByName(path, bytes, reading);
}

}  // namespace continuo
