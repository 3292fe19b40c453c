// SPDX-License-Identifier: Apache-2.0

// Written by hand rather than through the proto classes: all rows of the
// inputs have the same size on the wire, so a row is a fixed header and zeros
// into which a few floats are stored.
//
//   SequenceExample { feature_lists (2): FeatureLists {
//     entry (1) { key (1): "inputs", value (2): FeatureList {
//       Feature (1) { float_list (2) { value (1): packed fixed32 } } ... } }
//     entry (1) { key (1): "labels", value (2): FeatureList {
//       Feature (1) { int64_list (3) { value (1): packed varint } } ... } } } }

#include "data/records/sequence_example_writer.h"

#include <bit>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

// Tags of length-delimited fields: field number << 3 | 2.
constexpr char kField1 = 0x0a;
constexpr char kField2 = 0x12;
constexpr char kField3 = 0x1a;

int VarintSize(uint64_t value) {
  int size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) {
    out->push_back(static_cast<char>(value | 0x80));
  }
  out->push_back(static_cast<char>(value));
}

// Bytes of a length-delimited field with a one-byte tag.
size_t FieldSize(size_t payload) {
  return 1 + static_cast<size_t>(VarintSize(payload)) + payload;
}

void AppendHeader(char tag, size_t payload, std::string* out) {
  out->push_back(tag);
  AppendVarint(payload, out);
}

// The header of one Feature up to its packed values of `values_size` bytes.
void AppendFeatureHeader(char list_tag, size_t values_size, std::string* out) {
  const size_t list_size = FieldSize(values_size);
  AppendHeader(kField1, FieldSize(list_size), out);
  AppendHeader(list_tag, list_size, out);
  AppendHeader(kField1, values_size, out);
}

size_t FeatureSize(size_t values_size) {
  return FieldSize(FieldSize(FieldSize(values_size)));
}

size_t EntrySize(absl::string_view key, size_t list_size) {
  return FieldSize(key.size()) + FieldSize(list_size);
}

// The header of one map entry up to the contents of its FeatureList.
void AppendEntryHeader(absl::string_view key, size_t list_size,
                       std::string* out) {
  AppendHeader(kField1, EntrySize(key, list_size), out);
  AppendHeader(kField1, key.size(), out);
  out->append(key.data(), key.size());
  AppendHeader(kField2, list_size, out);
}

void StoreFloat(float value, char* out) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  for (int i = 0; i < 4; ++i, bits >>= 8) out[i] = static_cast<char>(bits);
}

// Bytes of row `row`'s packed labels. Labels are never negative.
size_t LabelsSize(const EncodedSequence& example, int row, int heads) {
  size_t size = 0;
  for (int head = 0; head < heads; ++head) {
    size += static_cast<size_t>(VarintSize(static_cast<uint64_t>(
        example.labels[static_cast<size_t>(row) * heads + head])));
  }
  return size;
}

}  // namespace

std::string SerializeSequenceExample(const EncodedSequence& example, int heads,
                                     bool index_inputs) {
  const SparseRows& inputs = example.inputs;
  const int rows = inputs.rows();
  CONTINUO_CHECK(example.labels.size() == static_cast<size_t>(rows) * heads);
  CONTINUO_CHECK(!index_inputs ||
                 inputs.index.size() == static_cast<size_t>(rows));
  const size_t row_bytes =
      index_inputs ? 4 : static_cast<size_t>(inputs.width) * 4;

  const size_t inputs_size = static_cast<size_t>(rows) * FeatureSize(row_bytes);
  size_t labels_size = 0;
  for (int row = 0; row < rows; ++row) {
    labels_size += FeatureSize(LabelsSize(example, row, heads));
  }
  const size_t lists_size = FieldSize(EntrySize("inputs", inputs_size)) +
                            FieldSize(EntrySize("labels", labels_size));

  std::string out;
  out.reserve(FieldSize(lists_size));
  AppendHeader(kField2, lists_size, &out);
  AppendEntryHeader("inputs", inputs_size, &out);
  std::string header;
  AppendFeatureHeader(kField2, row_bytes, &header);
  for (int row = 0; row < rows; ++row) {
    out.append(header);
    const size_t begin = out.size();
    out.append(row_bytes, '\0');
    if (index_inputs) {
      StoreFloat(static_cast<float>(inputs.index[row]), &out[begin]);
      continue;
    }
    for (int i = inputs.row_begin[row]; i < inputs.row_begin[row + 1]; ++i) {
      StoreFloat(inputs.value[i],
                 &out[begin + static_cast<size_t>(inputs.index[i]) * 4]);
    }
  }
  AppendEntryHeader("labels", labels_size, &out);
  for (int row = 0; row < rows; ++row) {
    AppendFeatureHeader(kField3, LabelsSize(example, row, heads), &out);
    for (int head = 0; head < heads; ++head) {
      AppendVarint(static_cast<uint64_t>(
                       example.labels[static_cast<size_t>(row) * heads + head]),
                   &out);
    }
  }
  return out;
}

}  // namespace continuo
