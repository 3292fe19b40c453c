// SPDX-License-Identifier: Apache-2.0

// Any bytes as a checkpoint table, a V1 checkpoint and a bundle: errors or
// tensors whose shapes fit their values, never a crash.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/sstable.h"
#include "runtime/base/log.h"

namespace {

void TryCheckpoint(absl::string_view bytes) {
  const auto tensors = continuo::ReadCheckpointV1(bytes, "fuzz");
  if (!tensors.ok()) return;
  for (const auto& [name, tensor] : *tensors) {
    int64_t elements = 1;
    for (int64_t size : tensor.shape) elements *= size;
    CONTINUO_CHECK(int64_t(tensor.floats.size() + tensor.ints.size()) ==
                   elements);
  }
}

// Cuts the input into keys and values: a byte each for their sizes, then their
// bytes. The empty key, which holds the list of tensors, comes first.
continuo::SstableEntries Entries(absl::string_view bytes) {
  std::map<std::string, std::string> entries;
  const auto take = [&bytes](size_t size) {
    const std::string taken(bytes.substr(0, size));
    bytes.remove_prefix(taken.size());
    return taken;
  };
  while (bytes.size() >= 2) {
    const size_t key_size = entries.empty() ? 0 : uint8_t(bytes[0]) % 32;
    const size_t value_size = uint8_t(bytes[1]);
    bytes.remove_prefix(2);
    const std::string key = take(key_size);
    entries[key] = take(value_size);
  }
  return {entries.begin(), entries.end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryCheckpoint(bytes);
  (void)continuo::ParseBundle(bytes, "fuzz.mag");
  // Checksums keep a fuzzer out, so a table with right ones is built here, and
  // then read as it is and with one byte changed.
  const continuo::SstableEntries entries = Entries(bytes);
  if (entries.empty()) return 0;
  std::string table = continuo::BuildSstable(entries);
  const auto read = continuo::ReadSstable(table, "fuzz");
  CONTINUO_CHECK(read.ok() && *read == entries);
  TryCheckpoint(table);
  table[size_t{data[0]} * 257 % table.size()] ^= 0x10;
  CONTINUO_CHECK(!continuo::ReadSstable(table, "fuzz").ok());
  return 0;
}
