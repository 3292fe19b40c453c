// SPDX-License-Identifier: Apache-2.0

#include "data/records/manifest.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/records/tfrecord.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"

namespace continuo {
namespace {

constexpr absl::string_view kEnding = ".manifest";
constexpr int64_t kMaxManifestBytes = int64_t{64} << 20;

std::string ToText(const std::vector<ManifestEntry>& entries) {
  OrderedJson files = OrderedJson::array();
  for (const auto& [path, digest] : entries) {
    files.push_back({{"name", std::string(BaseName(path))},
                     {"records", digest.records},
                     {"bytes", digest.bytes},
                     {"crc32c", digest.crc32c}});
  }
  return JsonText(OrderedJson{{"files", files}}, 2) + "\n";
}

// Nothing if the text is no manifest.
std::optional<std::map<std::string, RecordDigest>> FromText(
    absl::string_view text) {
  const Json json = ParseJson(text);
  if (!json.is_object()) return std::nullopt;
  const auto list = json.find("files");
  if (list == json.end() || !list->is_array()) return std::nullopt;
  std::map<std::string, RecordDigest> files;
  for (const Json& file : *list) {
    if (!file.is_object() || !file.contains("name") ||
        !file["name"].is_string()) {
      return std::nullopt;
    }
    for (const char* field : {"records", "bytes", "crc32c"}) {
      if (!file.contains(field) || !file[field].is_number_unsigned()) {
        return std::nullopt;
      }
    }
    files[file["name"].get<std::string>()] = {
        .records = file["records"].get<int64_t>(),
        .bytes = file["bytes"].get<int64_t>(),
        .crc32c = file["crc32c"].get<uint32_t>()};
  }
  return files;
}

}  // namespace

void RecordDigest::Add(absl::string_view framed) {
  CONTINUO_CHECK(framed.size() >= size_t{kTfRecordFooter});
  ++records;
  bytes += static_cast<int64_t>(framed.size());
  // The checksum of the data stands for the data.
  crc32c = ExtendCrc32c(crc32c, framed.substr(framed.size() - kTfRecordFooter));
}

std::string ManifestPath(const std::string& set) {
  return JoinPath(DirName(set), absl::StrCat(".", BaseName(set), kEnding));
}

absl::StatusOr<std::unique_ptr<AtomicFile>> WriteManifest(
    const std::string& set, const std::vector<ManifestEntry>& entries) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                            AtomicFile::Create(ManifestPath(set)));
  CONTINUO_RETURN_IF_ERROR(file->Append(ToText(entries)));
  return file;
}

std::vector<ManifestCheck::Manifest> ManifestCheck::ReadManifests(
    const std::string& dir) {
  std::vector<Manifest> manifests;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(dir, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name[0] != '.' || !absl::EndsWith(name, kEnding)) continue;
    const std::string path = JoinPath(dir, name);
    const auto text = ReadFile(path, kMaxManifestBytes);
    auto files = text.ok() ? FromText(*text) : std::nullopt;
    if (files.has_value()) {
      manifests.push_back({path, *std::move(files)});
    } else {
      LogWarn(path, ": cannot be read, so the files beside it are not compared",
              text.ok() ? "" : absl::StrCat(": ", text.status().message()));
    }
  }
  return manifests;
}

absl::Status ManifestCheck::Check(const std::string& path,
                                  const RecordDigest& digest) {
  const std::string dir(DirName(path));
  const auto [folder, is_new] = by_folder_.try_emplace(dir);
  if (is_new) folder->second = ReadManifests(dir);
  for (const Manifest& manifest : folder->second) {
    const auto entry = manifest.files.find(std::string(BaseName(path)));
    if (entry == manifest.files.end() || entry->second == digest) continue;
    return absl::DataLossError(absl::StrCat(
        path, ": is not the file that was written with the others of ",
        manifest.path,
        ": the command that wrote them was interrupted, or the file was "
        "changed since. Run that command again; or, if the change was meant, "
        "remove ",
        manifest.path));
  }
  return absl::OkStatus();
}

}  // namespace continuo
