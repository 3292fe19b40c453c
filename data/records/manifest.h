// SPDX-License-Identifier: Apache-2.0

// Which files of records were written together.
//
// The files of a set (training and evaluation, or shards) are replaced one
// after the other; a power cut may come between. A manifest, written before the
// first of them, lists what each holds, so that whoever reads a file of the set
// notices that it is of another one. Files without a manifest are fine.

#ifndef CONTINUO_DATA_RECORDS_MANIFEST_H_
#define CONTINUO_DATA_RECORDS_MANIFEST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/files/file.h"

namespace continuo {

// Tells one file of records from another without reading all of it: made of
// the checksums that the records carry.
struct RecordDigest {
  int64_t records = 0;
  int64_t bytes = 0;
  uint32_t crc32c = 0;

  // A record with its framing.
  void Add(absl::string_view framed);
  bool operator==(const RecordDigest&) const = default;
};

struct ManifestEntry {
  std::string path;  // the manifest keeps the last part of it
  RecordDigest digest;
};

// "dir/.name.manifest" for "dir/name".
std::string ManifestPath(const std::string& set);

// The manifest of a set, "dir/.name.manifest" for a `set` of "dir/name", to be
// committed with the files, before them.
absl::StatusOr<std::unique_ptr<AtomicFile>> WriteManifest(
    const std::string& set, const std::vector<ManifestEntry>& entries);

// Compares files with the manifests beside them, which are read once.
class ManifestCheck {
 public:
  // DataLoss, with the remedy, if a manifest lists `path` with another digest.
  absl::Status Check(const std::string& path, const RecordDigest& digest);

 private:
  struct Manifest {
    std::string path;
    std::map<std::string, RecordDigest> files;
  };
  static std::vector<Manifest> ReadManifests(const std::string& dir);
  std::map<std::string, std::vector<Manifest>> by_folder_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_MANIFEST_H_
