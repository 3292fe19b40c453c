// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/checkpoint/checkpoint_tensor.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr char kMetadata[] = "__metadata__";
constexpr uint64_t kPrefixBytes = 8;
// The limit of the format's own reader.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

// Little-endian, as everything in these files and on the machines we run on.
uint64_t HeaderSize(absl::string_view bytes) {
  uint64_t size = 0;
  std::memcpy(&size, bytes.data(), kPrefixBytes);
  return size;
}

absl::StatusOr<Json> ParseHeader(absl::string_view bytes,
                                 absl::string_view name) {
  if (!LooksLikeSafetensors(bytes)) {
    return absl::DataLossError(absl::StrCat(
        name, ": not a safetensors file, or cut short in its header"));
  }
  const absl::string_view text = bytes.substr(kPrefixBytes, HeaderSize(bytes));
  Json json = ParseJson(text);
  if (json.is_object()) return json;
  return absl::DataLossError(
      absl::StrCat(name, ": the header is no JSON object"));
}

absl::StatusOr<std::map<std::string, std::string>> MetadataOf(
    const Json& header, absl::string_view name) {
  std::map<std::string, std::string> metadata;
  const auto found = header.find(kMetadata);
  if (found == header.end()) return metadata;
  const absl::Status wrong = absl::DataLossError(
      absl::StrCat(name, ": ", kMetadata, " is no object of strings"));
  if (!found->is_object()) return wrong;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) return wrong;
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// A list of `size` whole numbers that are not negative (any size: -1).
bool ReadNumbers(const Json& entry, const char* field, int size,
                 std::vector<int64_t>* numbers) {
  const auto list = entry.find(field);
  if (list == entry.end() || !list->is_array()) return false;
  if (size >= 0 && static_cast<int>(list->size()) != size) return false;
  for (const Json& number : *list) {
    if (!number.is_number_unsigned()) return false;
    const uint64_t value = number.get<uint64_t>();
    if (value > (uint64_t{1} << 62)) return false;
    numbers->push_back(static_cast<int64_t>(value));
  }
  return true;
}

// A tensor without its elements, and its place in the data.
struct Entry {
  std::string name;
  HostTensor tensor;
  int64_t begin = 0;
  int64_t end = 0;
};

absl::StatusOr<Entry> ReadEntry(const std::string& tensor_name,
                                const Json& json, absl::string_view where) {
  Entry entry;
  entry.name = tensor_name;
  std::vector<int64_t> offsets;
  const auto dtype = json.is_object() ? json.find("dtype") : json.end();
  if (!json.is_object() || dtype == json.end() || !dtype->is_string() ||
      !ReadNumbers(json, "shape", -1, &entry.tensor.shape) ||
      !ReadNumbers(json, "data_offsets", 2, &offsets)) {
    return absl::DataLossError(
        absl::StrCat(where,
                     ": its entry in the header is damaged (dtype, shape and "
                     "data_offsets are expected)"));
  }
  if (*dtype == "F32") {
    entry.tensor.dtype = DType::kFloat32;
  } else if (*dtype == "I64") {
    entry.tensor.dtype = DType::kInt64;
  } else {
    return absl::UnimplementedError(
        absl::StrCat(where, ": type ", dtype->get<std::string>(),
                     " is not supported (only F32 and I64 are)"));
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  CONTINUO_ASSIGN_OR_RETURN(const int64_t elements,
                            CheckedElements(entry.tensor.shape, where));
  if (entry.end < entry.begin ||
      entry.end - entry.begin !=
          elements * CheckpointElementSize(entry.tensor.dtype)) {
    return absl::DataLossError(
        absl::StrCat(where, ": bytes ", entry.begin, " to ", entry.end,
                     " are not those of ", elements, " elements"));
  }
  return entry;
}

absl::string_view BytesOf(const HostTensor& tensor) {
  if (tensor.dtype == DType::kFloat32) {
    return {reinterpret_cast<const char*>(tensor.floats.data()),
            tensor.floats.size() * sizeof(float)};
  }
  return {reinterpret_cast<const char*>(tensor.ints.data()),
          tensor.ints.size() * sizeof(int64_t)};
}

}  // namespace

bool LooksLikeSafetensors(absl::string_view bytes) {
  if (bytes.size() <= kPrefixBytes) return false;
  const uint64_t size = HeaderSize(bytes);
  return size >= 2 && size <= kMaxHeaderBytes &&
         size <= bytes.size() - kPrefixBytes && bytes[kPrefixBytes] == '{';
}

std::string SerializeSafetensors(const Safetensors& contents) {
  std::string header;
  // Metadata may come from flags, and need not be UTF-8.
  const auto add = [&header](const std::string& name, const auto& entry) {
    absl::StrAppend(&header, header.empty() ? "{" : ",", JsonText(Json(name)),
                    ":", JsonText(entry));
  };
  if (!contents.metadata.empty()) add(kMetadata, Json(contents.metadata));
  // Tensors of wider elements first, as the format's own writer has them, so
  // that each lies at a multiple of its element's size.
  std::vector<const TensorMap::value_type*> order;
  for (const auto& tensor : contents.tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, auto* b) {
    return CheckpointElementSize(a->second.dtype) >
           CheckpointElementSize(b->second.dtype);
  });
  int64_t offset = 0;
  for (const auto* named : order) {
    const HostTensor& tensor = named->second;
    const int64_t size = static_cast<int64_t>(BytesOf(tensor).size());
    add(named->first,
        OrderedJson({{"dtype", tensor.dtype == DType::kFloat32 ? "F32" : "I64"},
                     {"shape", tensor.shape},
                     {"data_offsets", {offset, offset + size}}}));
    offset += size;
  }
  std::string text = header.empty() ? "{}" : absl::StrCat(header, "}");
  while (text.size() % kPrefixBytes != 0) text += ' ';
  const uint64_t header_size = text.size();
  std::string bytes(kPrefixBytes, '\0');
  std::memcpy(bytes.data(), &header_size, kPrefixBytes);
  bytes += text;
  bytes.reserve(bytes.size() + offset);
  for (const auto* named : order) {
    absl::StrAppend(&bytes, BytesOf(named->second));
  }
  return bytes;
}

absl::StatusOr<Safetensors> ParseSafetensors(absl::string_view bytes,
                                             absl::string_view name) {
  CONTINUO_ASSIGN_OR_RETURN(const Json header, ParseHeader(bytes, name));
  Safetensors contents;
  CONTINUO_ASSIGN_OR_RETURN(contents.metadata, MetadataOf(header, name));
  std::vector<Entry> entries;
  for (const auto& [tensor_name, json] : header.items()) {
    if (tensor_name == kMetadata) continue;
    CONTINUO_ASSIGN_OR_RETURN(
        Entry entry, ReadEntry(tensor_name, json,
                               absl::StrCat(name, ": tensor ", tensor_name)));
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const absl::string_view data = bytes.substr(kPrefixBytes + HeaderSize(bytes));
  const auto size = static_cast<int64_t>(data.size());
  int64_t covered = 0;
  for (Entry& entry : entries) {
    const std::string where = absl::StrCat(name, ": tensor ", entry.name);
    if (entry.end > size) {
      return absl::DataLossError(absl::StrCat(where, ": ends at byte ",
                                              entry.end, " of ", size,
                                              " (file cut short?)"));
    }
    if (entry.begin != covered) {
      return absl::DataLossError(absl::StrCat(
          where, ": begins at byte ", entry.begin, ", expected ", covered));
    }
    covered = entry.end;
    CopyLittleEndian(
        data.substr(entry.begin, entry.end - entry.begin),
        (entry.end - entry.begin) / CheckpointElementSize(entry.tensor.dtype),
        &entry.tensor);
    contents.tensors[entry.name] = std::move(entry.tensor);
  }
  if (covered != size) {
    return absl::DataLossError(absl::StrCat(name, ": ", size - covered,
                                            " bytes behind the last tensor"));
  }
  return contents;
}

absl::StatusOr<std::map<std::string, std::string>> ParseSafetensorsMetadata(
    absl::string_view bytes, absl::string_view name) {
  CONTINUO_ASSIGN_OR_RETURN(const Json header, ParseHeader(bytes, name));
  return MetadataOf(header, name);
}

}  // namespace continuo
