// SPDX-License-Identifier: Apache-2.0

// Any bytes as a TFRecord file, and as one SequenceExample: errors or examples
// that keep their promises, never a crash.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/records/sequence_example.h"
#include "data/records/tfrecord.h"
#include "runtime/base/log.h"

namespace {

void TryExample(absl::string_view bytes) {
  static const continuo::ExampleFormat format = {
      .input_size = 3, .head_sizes = {4, 2}, .config = "fuzz"};
  continuo::EncodedSequence example;
  if (!continuo::ParseSequenceExample(bytes, format, "fuzz", &example).ok()) {
    return;
  }
  const continuo::SparseRows& rows = example.inputs;
  CONTINUO_CHECK(rows.rows() >= 1);
  CONTINUO_CHECK(example.labels.size() == 2 * size_t(rows.rows()));
  for (int r = 0; r < rows.rows(); ++r) {
    for (int32_t k = rows.row_begin[r]; k < rows.row_begin[r + 1]; ++k) {
      CONTINUO_CHECK(rows.index[k] >= 0 && rows.index[k] < 3);
      CONTINUO_CHECK(k == rows.row_begin[r] ||
                     rows.index[k] > rows.index[k - 1]);
      CONTINUO_CHECK(rows.value[k] != 0);
    }
    CONTINUO_CHECK(example.labels[2 * r] >= 0 && example.labels[2 * r] < 4);
    CONTINUO_CHECK(example.labels[2 * r + 1] >= 0 &&
                   example.labels[2 * r + 1] < 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  // Checksums hold in one input of billions, so framing made here takes the
  // fuzzer past them.
  const std::string framed = continuo::FrameTfRecord(bytes);
  for (absl::string_view file : {bytes, absl::string_view(framed)}) {
    int64_t offset = 0;
    for (;;) {
      const auto record = continuo::ParseTfRecord(file, "fuzz", &offset);
      if (!record.ok()) break;
      TryExample(*record);
    }
    CONTINUO_CHECK(offset >= 0 && offset <= int64_t(file.size()));
  }
  return 0;
}
