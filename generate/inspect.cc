#include "generate/inspect.h"

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/notes/formats.h"
#include "data/records/tfrecord.h"
#include "models/bundle.h"
#include "models/safetensors.h"
#include "runtime/file.h"
#include "runtime/status.h"

namespace continuo {
namespace {

// The last eight bytes of a table file (LevelDB's magic number).
constexpr absl::string_view kTableMagic = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";

// "x.data-00000-of-00001" and "x.index" are files of the checkpoint "x".
std::string CheckpointPrefix(const std::string& path) {
  const size_t data = path.rfind(".data-");
  if (data != std::string::npos && path.find("-of-", data) != path.npos) {
    return path.substr(0, data);
  }
  return std::string(absl::StripSuffix(path, ".index"));
}

bool IsTfRecord(absl::string_view bytes) {
  int64_t offset = 0;
  return ParseTfRecord(bytes, "", &offset, /*verify_data=*/false).ok();
}

// The ending of a music file by what it begins with; empty if it is none.
absl::string_view MusicEnding(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "MThd") || absl::StartsWith(bytes, "RIFF")) {
    return ".mid";
  }
  if (absl::StartsWith(bytes, "PK\x03\x04")) return ".mxl";
  absl::ConsumePrefix(&bytes, "\xef\xbb\xbf");
  constexpr size_t kHead = 4096;
  const absl::string_view text =
      absl::StripLeadingAsciiWhitespace(bytes.substr(0, kHead));
  if (absl::StartsWith(text, "<")) return ".xml";
  if (absl::StartsWith(text, "X:") || absl::StrContains(text, "\nX:")) {
    return ".abc";
  }
  return "";
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
  const std::string prefix = CheckpointPrefix(path);
  if (FileExists(absl::StrCat(prefix, ".index"))) {
    return InspectCheckpoint(prefix);
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  const absl::string_view bytes = file->bytes();
  if (bytes.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  }
  if (IsTfRecord(bytes)) return InspectTfRecord(path);
  if (absl::EndsWith(bytes, kTableMagic)) return InspectCheckpoint(path);
  if (LooksLikeSafetensors(bytes)) return InspectSafetensors(path);
  if (const absl::string_view ending = MusicEnding(bytes); !ending.empty()) {
    return InspectMusic(path, ending, reading);
  }
  return InspectByName(path, bytes, reading);
}

}  // namespace continuo
