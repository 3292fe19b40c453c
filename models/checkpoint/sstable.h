// SPDX-License-Identifier: Apache-2.0

// Sorted tables (LevelDB's file format) in memory: the index of TensorFlow's V2
// checkpoints and the whole of its V1 checkpoints.

#ifndef CONTINUO_MODELS_CHECKPOINT_SSTABLE_H_
#define CONTINUO_MODELS_CHECKPOINT_SSTABLE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace continuo {

// Keys with their values, keys strictly ascending as bytes.
using SstableEntries = std::vector<std::pair<std::string, std::string>>;

// All entries of the table in `bytes`. DataLoss with `name` for anything but an
// intact, uncompressed table: every checksum and every byte outside the
// checksummed blocks is verified before a block is decoded.
absl::StatusOr<SstableEntries> ReadSstable(absl::string_view bytes,
                                           absl::string_view name);

// The bytes of an uncompressed table without filters. A block is ended by the
// entry that fills `block_bytes`.
inline constexpr size_t kSstableBlockBytes = 4096;  // LevelDB's own
std::string BuildSstable(const SstableEntries& entries,
                         size_t block_bytes = kSstableBlockBytes);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CHECKPOINT_SSTABLE_H_
