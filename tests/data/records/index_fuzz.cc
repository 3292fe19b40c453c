// SPDX-License-Identifier: Apache-2.0

// Any bytes as the index of a file that is kept, with the right key and
// checksum: refused, or an index by which reading is safe.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "data/records/file_index.h"
#include "data/records/index_cache.h"
#include "runtime/base/log.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/little_endian.h"

namespace {

constexpr continuo::FileStamp kStamp = {.size = 100, .mtime_ns = 1};

const continuo::ExampleFormat& Format() {
  static const auto& format = *new continuo::ExampleFormat{
      .input_size = 3, .head_sizes = {4, 2}, .config = "fuzz"};
  return format;
}

void Use(const absl::StatusOr<continuo::FileIndex>& index) {
  if (!index.ok()) return;
  int64_t end = 0;
  int64_t events = 0;
  for (int64_t i = 0; i < index->num_records(); ++i) {
    CONTINUO_CHECK(index->offset(i) == end);
    end += index->size(i) + 16;
    CONTINUO_CHECK(index->steps(i) >= 1);
    CONTINUO_CHECK(index->steps(i) <= index->max_steps());
    events += index->steps(i);
  }
  CONTINUO_CHECK(end == kStamp.size);
  CONTINUO_CHECK(events == index->num_events());
  CONTINUO_CHECK(index->label_counts().size() == 6);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Use(continuo::UnpackIndex(bytes, kStamp, Format()));
  Use(continuo::FileIndex::Parse(bytes, kStamp.size, Format()));
  // Checksums hold in one input of billions, so those made here take the fuzzer
  // past them.
  std::string keyed = "CXI1";
  continuo::AppendLittleEndian(kStamp.size, 8, &keyed);
  continuo::AppendLittleEndian(kStamp.mtime_ns, 8, &keyed);
  continuo::AppendLittleEndian(continuo::FormatDigest(Format()), 4, &keyed);
  keyed.append(bytes.data(), bytes.size());
  continuo::AppendLittleEndian(continuo::MaskedCrc32c(keyed), 4, &keyed);
  Use(continuo::UnpackIndex(keyed, kStamp, Format()));
  return 0;
}
