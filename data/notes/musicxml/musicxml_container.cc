// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_container.h"

#include <zip.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "pugixml.hpp"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr absl::string_view kContainerPath = "META-INF/container.xml";
constexpr absl::string_view kMusicXmlType =
    "application/vnd.recordare.musicxml+xml";
constexpr size_t kMaxContainerBytes = size_t{1} << 20;
// A central directory entry has at least this many bytes.
constexpr uint64_t kZipEntryBytes = 46;

struct ArchiveDiscard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, ArchiveDiscard>;

struct FileClose {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

absl::Status Refuse(absl::string_view reason, absl::string_view details) {
  return absl::InvalidArgumentError(
      absl::StrCat(reason, ": ", details, "; export the score again"));
}

uint64_t LittleEndian64(absl::string_view bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

// The zip library allocates as many entries as a zip64 end record claims
// before it reads any; a claim that the archive cannot hold is refused here.
bool EntryCountIsPossible(absl::string_view bytes) {
  constexpr absl::string_view kZip64End("PK\x06\x06", 4);
  constexpr size_t kCounts = 24;  // two 64-bit counts: this disk's and all
  for (size_t at = bytes.find(kZip64End); at != absl::string_view::npos;
       at = bytes.find(kZip64End, at + 1)) {
    if (bytes.size() - at < kCounts + 16) continue;
    for (const size_t field : {at + kCounts, at + kCounts + 8}) {
      if (LittleEndian64(bytes.substr(field)) > bytes.size() / kZipEntryBytes) {
        return false;
      }
    }
  }
  return true;
}

absl::StatusOr<Archive> OpenArchive(absl::string_view bytes) {
  if (!EntryCountIsPossible(bytes)) {
    return Refuse("a damaged archive", "it claims more files than it can hold");
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source =
      zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  Archive archive;
  if (source != nullptr) {
    archive.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
    if (archive == nullptr) zip_source_free(source);
  }
  const std::string reason = archive ? "" : zip_error_strerror(&error);
  zip_error_fini(&error);
  if (archive == nullptr) return Refuse("a damaged archive", reason);
  return archive;
}

// File names as the archive stores them. Writers that do not set the UTF-8
// flag mostly write UTF-8 all the same, as the container's XML does.
std::vector<std::string> FileNames(zip_t* archive) {
  std::vector<std::string> names;
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive, i, ZIP_FL_ENC_RAW);
    names.emplace_back(name != nullptr ? name : "");
  }
  return names;
}

// Unpacks file `index`. `limit` holds for the size the archive declares and
// for the bytes that come out.
absl::StatusOr<std::string> Unpack(zip_t* archive, size_t index, size_t limit) {
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat_index(archive, index, 0, &stat) != 0) {
    return Refuse("a damaged archive", "its directory");
  }
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 &&
      stat.encryption_method != ZIP_EM_NONE) {
    return Refuse("an encrypted score", "it needs a password");
  }
  if ((stat.valid & ZIP_STAT_COMP_METHOD) != 0 &&
      stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
    return Refuse("an unusual compression",
                  absl::StrCat("method ", stat.comp_method,
                               ", where stored and deflate are in use"));
  }
  const absl::Status too_large = absl::ResourceExhaustedError(
      absl::StrCat("a score larger than the limit: it unpacks to more than ",
                   limit, " bytes; split it into movements"));
  if ((stat.valid & ZIP_STAT_SIZE) != 0 && stat.size > limit) return too_large;

  std::unique_ptr<zip_file_t, FileClose> file(
      zip_fopen_index(archive, index, 0));
  if (file == nullptr)
    return Refuse("a damaged archive", zip_strerror(archive));
  std::string contents;
  char buffer[1 << 14];
  while (true) {
    const zip_int64_t count = zip_fread(file.get(), buffer, sizeof(buffer));
    if (count < 0) return Refuse("a damaged archive", zip_strerror(archive));
    if (count == 0) return contents;
    if (static_cast<size_t>(count) > limit - contents.size()) return too_large;
    contents.append(buffer, count);
  }
}

// The path of the first MusicXML root file in a container; "" if there is none
// or the container is not XML.
std::string RootFilePath(absl::string_view container, ScoreRepair* repair) {
  pugi::xml_document document;
  if (!ParseXml(container, &document).ok()) return "";
  std::string path;
  for (const pugi::xml_node root_file :
       document.document_element().child("rootfiles").children("rootfile")) {
    const pugi::xml_attribute type = root_file.attribute("media-type");
    if (type && type.value() != kMusicXmlType) continue;
    if (!path.empty()) {
      repair->Add("an archive with several scores");
      break;
    }
    path = root_file.attribute("full-path").value();
  }
  return path;
}

std::optional<size_t> Find(const std::vector<std::string>& names,
                           absl::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

// The only file that can be the score by its name.
absl::StatusOr<size_t> OnlyXmlFile(const std::vector<std::string>& names) {
  std::optional<size_t> found;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string lower = absl::AsciiStrToLower(names[i]);
    if (absl::StartsWith(lower, "meta-inf/") ||
        absl::StartsWith(lower, "__macosx/")) {
      continue;
    }
    if (!absl::EndsWith(lower, ".xml") && !absl::EndsWith(lower, ".musicxml")) {
      continue;
    }
    if (found.has_value()) {
      return Refuse("an archive with several scores",
                    absl::StrCat("\"", QuoteForMessage(names[*found]),
                                 "\" and \"", QuoteForMessage(names[i]),
                                 "\", and no container that names one"));
    }
    found = i;
  }
  if (!found.has_value()) {
    return Refuse("an archive without a score", "no .xml or .musicxml file");
  }
  return *found;
}

}  // namespace

bool IsZipArchive(absl::string_view bytes) {
  return absl::StartsWith(bytes, "PK\x03\x04") ||
         absl::StartsWith(bytes, "PK\x05\x06");
}

absl::StatusOr<std::string> ExtractMusicXml(absl::string_view bytes,
                                            ScoreRepair* repair) {
  CONTINUO_ASSIGN_OR_RETURN(const Archive archive, OpenArchive(bytes));
  const std::vector<std::string> names = FileNames(archive.get());
  std::string path;
  if (const auto container = Find(names, kContainerPath)) {
    // A container that cannot be unpacked counts as missing.
    const auto contents = Unpack(archive.get(), *container, kMaxContainerBytes);
    if (contents.ok()) path = RootFilePath(*contents, repair);
  }
  std::optional<size_t> score;
  if (!path.empty()) score = Find(names, path);
  if (!score.has_value()) {
    repair->Add("an archive whose container names no score");
    CONTINUO_ASSIGN_OR_RETURN(score, OnlyXmlFile(names));
  }
  return Unpack(archive.get(), *score, kMaxXmlBytes);
}

}  // namespace continuo
