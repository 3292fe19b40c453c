// SPDX-License-Identifier: Apache-2.0

#include "data/records/sequence_example.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Packed floats are copied from the wire as they are.
static_assert(std::endian::native == std::endian::little);

// Wire types of protocol buffers.
enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Reads varints, tags and fields from the front of some bytes. Every Take
// returns false, and stays within the bytes, if they do not hold it.
struct Wire {
  absl::string_view bytes;

  bool TakeVarint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
      const uint64_t byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      *value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool TakeBytes(uint64_t size, absl::string_view* value) {
    if (size > bytes.size()) return false;
    *value = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return true;
  }
  // One field: its number, its type, and for fields other than varints its
  // bytes (without the length).
  bool TakeField(uint64_t* number, int* type, absl::string_view* value,
                 uint64_t* varint) {
    uint64_t tag = 0;
    if (!TakeVarint(&tag)) return false;
    *number = tag >> 3;
    *type = static_cast<int>(tag & 7);
    switch (*type) {
      case kVarint:
        return TakeVarint(varint);
      case kFixed64:
        return TakeBytes(8, value);
      case kFixed32:
        return TakeBytes(4, value);
      case kBytes: {
        uint64_t size = 0;
        return TakeVarint(&size) && TakeBytes(size, value);
      }
    }
    return false;  // groups, which no such message has
  }
};

// Calls fn(number, type, value, varint) for each field; false if the bytes are
// malformed or fn says so.
template <typename Fn>
bool ForEachField(absl::string_view bytes, Fn fn) {
  Wire wire{bytes};
  while (!wire.bytes.empty()) {
    uint64_t number = 0;
    int type = 0;
    absl::string_view value;
    uint64_t varint = 0;
    if (!wire.TakeField(&number, &type, &value, &varint)) return false;
    if (!fn(number, type, value, varint)) return false;
  }
  return true;
}

// The lists of an example, as bytes of a FeatureList each.
struct FeatureLists {
  std::optional<absl::string_view> inputs;
  std::optional<absl::string_view> labels;
};

bool FindFeatureLists(absl::string_view example, FeatureLists* lists) {
  return ForEachField(example, [&](uint64_t number, int type,
                                   absl::string_view value, uint64_t) {
    if (number != 2) return true;  // context and unknown fields
    if (type != kBytes) return false;
    return ForEachField(value, [&](uint64_t entry_number, int entry_type,
                                   absl::string_view entry, uint64_t) {
      if (entry_number != 1) return true;
      if (entry_type != kBytes) return false;
      absl::string_view key;
      absl::string_view list;
      if (!ForEachField(entry, [&](uint64_t field, int field_type,
                                   absl::string_view bytes, uint64_t) {
            if (field != 1 && field != 2) return true;
            if (field_type != kBytes) return false;
            (field == 1 ? key : list) = bytes;
            return true;
          })) {
        return false;
      }
      // Of a key that occurs twice the last counts, as in any map.
      if (key == "inputs") lists->inputs = list;
      if (key == "labels") lists->labels = list;
      return true;
    });
  });
}

struct Parser {
  const ExampleFormat& format;
  absl::string_view where;
  EncodedSequence* example;

  absl::Status Malformed() const {
    return absl::DataLossError(
        absl::StrCat(where, ": not a well-formed SequenceExample"));
  }
  std::string Step(absl::string_view list, int step) const {
    return absl::StrCat(where, ": ", list, " at step ", step);
  }
  absl::Status WrongWidth(absl::string_view list, int step, int64_t actual,
                          int64_t expected) const {
    return absl::InvalidArgumentError(absl::StrCat(
        Step(list, step), ": ", actual, " values, but ", format.config,
        " expects ", expected,
        "; create the data set with the same `config` as the training"));
  }

  // Calls fn(step, list) for each Feature of a FeatureList; `list` is the
  // bytes of its FloatList (`kind` 2) or Int64List (3).
  template <typename Fn>
  absl::Status ForEachStep(absl::string_view feature_list,
                           absl::string_view list_name, uint64_t kind,
                           Fn fn) const {
    absl::Status status;
    int step = 0;
    const bool well_formed = ForEachField(
        feature_list,
        [&](uint64_t number, int type, absl::string_view feature, uint64_t) {
          if (number != 1) return true;
          if (type != kBytes) return false;
          absl::string_view values;
          bool other_kind = false;
          if (!ForEachField(feature, [&](uint64_t field, int field_type,
                                         absl::string_view bytes, uint64_t) {
                if (field_type != kBytes) return field > 3;
                if (field == kind) values = bytes;
                if (field >= 1 && field <= 3 && field != kind) {
                  other_kind = true;
                }
                return true;
              })) {
            return false;
          }
          if (other_kind) {
            status = absl::InvalidArgumentError(
                absl::StrCat(Step(list_name, step), ": expected ",
                             kind == 2 ? "floats" : "integers"));
            return false;
          }
          status = fn(step, values);
          ++step;
          return status.ok();
        });
    if (!status.ok()) return status;
    return well_formed ? absl::OkStatus() : Malformed();
  }

  // Appends the non-zero floats of `data` ([n] of the wire, `column` counting
  // on from earlier pieces) to the row being built.
  bool AddFloats(absl::string_view data, int64_t* column) const {
    const int64_t count = static_cast<int64_t>(data.size() / 4);
    SparseRows& rows = example->inputs;
    bool finite = true;
    for (int64_t i = 0; i < count; ++i, ++*column) {
      uint32_t bits;
      std::memcpy(&bits, data.data() + 4 * i, sizeof(bits));
      if ((bits & 0x7fffffffu) == 0) continue;  // zero of either sign
      const float value = std::bit_cast<float>(bits);
      finite = finite && std::isfinite(value);
      if (*column < format.floats_per_step()) {
        rows.Add(static_cast<int>(*column), value);
      }
    }
    return finite;
  }

  absl::Status ParseInputs(absl::string_view feature_list) const {
    return ForEachStep(
        feature_list, "inputs", 2, [&](int step, absl::string_view values) {
          int64_t column = 0;
          bool finite = true;
          if (!ForEachField(values, [&](uint64_t number, int type,
                                        absl::string_view data, uint64_t) {
                if (number != 1) return true;
                if (type != kFixed32 && type != kBytes) return false;
                if (data.size() % 4 != 0) return false;
                finite = AddFloats(data, &column) && finite;
                return true;
              })) {
            return Malformed();
          }
          if (column != format.floats_per_step()) {
            return WrongWidth("inputs", step, column, format.floats_per_step());
          }
          if (!finite) {
            return absl::Status(absl::InvalidArgumentError(
                absl::StrCat(Step("inputs", step), ": a value is not finite")));
          }
          example->inputs.EndRow();
          return format.index_inputs ? ExpandIndex(step) : absl::OkStatus();
        });
  }

  // Replaces the one float of the last row (none: zero) by the one it names.
  absl::Status ExpandIndex(int step) const {
    SparseRows& rows = example->inputs;
    const bool zero = rows.row_begin[step] == rows.row_begin[step + 1];
    const float number = zero ? 0.0f : rows.value.back();
    if (!(number >= 0) || number >= static_cast<float>(format.input_size) ||
        number != std::floor(number)) {
      return absl::InvalidArgumentError(absl::StrCat(
          Step("inputs", step), ": ", number, ", but ", format.config,
          " expects a whole number in 0..", format.input_size - 1,
          "; create the data set with the same `config` as the "
          "training"));
    }
    if (zero) {
      rows.Add(0, 1.0f);
      ++rows.row_begin.back();
      return absl::OkStatus();
    }
    rows.index.back() = static_cast<int>(number);
    rows.value.back() = 1.0f;
    return absl::OkStatus();
  }

  absl::Status ParseLabels(absl::string_view feature_list) const {
    return ForEachStep(
        feature_list, "labels", 3, [&](int step, absl::string_view values) {
          const size_t begin = example->labels.size();
          if (!ForEachField(
                  values, [&](uint64_t number, int type, absl::string_view data,
                              uint64_t varint) {
                    if (number != 1) return true;
                    if (type == kVarint) {
                      example->labels.push_back(static_cast<int64_t>(varint));
                      return true;
                    }
                    if (type != kBytes) return false;
                    Wire wire{data};
                    while (!wire.bytes.empty()) {
                      if (!wire.TakeVarint(&varint)) return false;
                      example->labels.push_back(static_cast<int64_t>(varint));
                    }
                    return true;
                  })) {
            return Malformed();
          }
          const int64_t count =
              static_cast<int64_t>(example->labels.size() - begin);
          if (count != format.heads()) {
            return WrongWidth("labels", step, count, format.heads());
          }
          for (int head = 0; head < format.heads(); ++head) {
            const int64_t label = example->labels[begin + head];
            if (label < 0 || label >= format.head_sizes[head]) {
              return absl::Status(absl::InvalidArgumentError(absl::StrCat(
                  Step("labels", step), ": label ", label, ", but ",
                  format.config, " has the classes 0..",
                  format.head_sizes[head] - 1,
                  "; create the data set with the same `config` as the "
                  "training")));
            }
          }
          return absl::OkStatus();
        });
  }
};

}  // namespace

absl::Status ParseSequenceExample(absl::string_view bytes,
                                  const ExampleFormat& format,
                                  absl::string_view where,
                                  EncodedSequence* example) {
  example->inputs.Clear();
  example->inputs.width = format.input_size;
  example->labels.clear();
  const Parser parser{format, where, example};
  // Entries of a row are counted in 32 bits; each takes four bytes here.
  if (bytes.size() > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": an example of more than 2 GiB"));
  }
  FeatureLists lists;
  if (!FindFeatureLists(bytes, &lists)) return parser.Malformed();
  if (!lists.inputs.has_value() || !lists.labels.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where,
                     ": no feature lists \"inputs\" and \"labels\"; not "
                     "a data set for training?"));
  }
  CONTINUO_RETURN_IF_ERROR(parser.ParseInputs(*lists.inputs));
  CONTINUO_RETURN_IF_ERROR(parser.ParseLabels(*lists.labels));
  const int64_t steps = example->inputs.rows();
  const int64_t label_steps =
      static_cast<int64_t>(example->labels.size()) / format.heads();
  if (steps != label_steps) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", steps,
                                                   " steps of inputs, but ",
                                                   label_steps, " of labels"));
  }
  if (steps == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": an example without steps"));
  }
  return absl::OkStatus();
}

}  // namespace continuo
