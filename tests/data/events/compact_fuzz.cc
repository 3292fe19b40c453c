// SPDX-License-Identifier: Apache-2.0

// Any bytes as a compact record of several encodings: errors, or examples that
// keep their promises and have the same record again; never a crash.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/compact_example.h"
#include "data/events/encoding_name.h"
#include "data/records/example.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

constexpr ControlSpec kControls = {
    .density = true, .histogram = true, .optional = true};

// An encoding, made once: its tables take longer than a short input.
struct Codec {
  explicit Codec(const EncodingSpec& spec)
      : format(MakeExampleFormat(spec, "fuzz")), codec(spec) {}
  ExampleFormat format;
  CompactCodec codec;
};

const std::vector<std::unique_ptr<Codec>>& Codecs() {
  static const auto& codecs = *new std::vector<std::unique_ptr<Codec>>([] {
    std::vector<std::unique_ptr<Codec>> made;
    for (const EncodingSpec& spec : std::vector<EncodingSpec>{
             {.encoding = Encoding::kKeyMelody, .min_note = 48, .max_note = 84},
             {.encoding = Encoding::kLookbackMelody,
             .min_note = 48,
             .max_note = 84},
             {.encoding = Encoding::kDrumKit},
             {.encoding = Encoding::kNoteTuples, .num_velocity_bins = 32},
             {.encoding = Encoding::kModuloPerformance,
             .num_velocity_bins = 32},
             {.encoding = Encoding::kPerformance,
             .num_velocity_bins = 32,
             .controls = kControls}}) {
      made.push_back(std::make_unique<Codec>(spec));
    }
    return made;
  }());
  return codecs;
}

void TryRecord(const Codec& codec, absl::string_view record) {
  const ExampleFormat& format = codec.format;
  EncodedSequence example;
  if (!ParseExample(record, format, "fuzz", &example).ok()) return;
  const SparseRows& rows = example.inputs;
  CONTINUO_CHECK(rows.rows() >= 1 && rows.width == format.input_size);
  CONTINUO_CHECK(example.labels.size() ==
                 static_cast<size_t>(rows.rows()) * format.heads());
  for (int r = 0; r < rows.rows(); ++r) {
    for (int32_t k = rows.row_begin[r]; k < rows.row_begin[r + 1]; ++k) {
      CONTINUO_CHECK(rows.index[k] >= 0 && rows.index[k] < rows.width);
      CONTINUO_CHECK(k == rows.row_begin[r] ||
                     rows.index[k] > rows.index[k - 1]);
      CONTINUO_CHECK(rows.value[k] != 0);
    }
  }
  CONTINUO_CHECK(codec.codec.Encode(example).ok());
}

}  // namespace
}  // namespace continuo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)continuo::EncodingByName(bytes);
  for (const auto& codec : continuo::Codecs()) {
    // As they are, and past the checks of magic number, version and encoding.
    continuo::TryRecord(*codec, bytes);
    continuo::CompactExample message;
    if (!message.ParseFromArray(data, static_cast<int>(size))) continue;
    message.set_encoding(codec->codec.encoding());
    continuo::TryRecord(*codec, continuo::SerializeCompactRecord(message));
  }
  return 0;
}
