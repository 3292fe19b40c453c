// SPDX-License-Identifier: Apache-2.0

// V1 checkpoints: one table. The entry under the empty key lists the tensors
// (name, type, shape); every other entry is one slice with bare values.

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/proto/checkpoint.pb.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/checkpoint_tensor.h"
#include "models/checkpoint/sstable.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Whether the slice covers a tensor of this shape whole. An extent without
// length stands for the whole dimension.
bool IsWhole(const tensorflow::TensorSliceProto& slice,
             const std::vector<int64_t>& shape) {
  if (slice.extent_size() != static_cast<int>(shape.size())) return false;
  for (int i = 0; i < slice.extent_size(); ++i) {
    const auto& extent = slice.extent(i);
    if (extent.start() != 0) return false;
    if (extent.has_length_case() ==
            tensorflow::TensorSliceProto::Extent::kLength &&
        extent.length() != shape[i]) {
      return false;
    }
  }
  return true;
}

absl::Status FillTensor(const tensorflow::SavedSlice& slice,
                        absl::string_view where, HostTensor* tensor) {
  CONTINUO_ASSIGN_OR_RETURN(const int64_t elements,
                            CheckedElements(tensor->shape, where));
  if (!IsWhole(slice.slice(), tensor->shape)) {
    return absl::UnimplementedError(
        absl::StrCat(where, ": partitioned variables are not supported"));
  }
  const tensorflow::TensorProto& data = slice.data();
  if (tensor->dtype == DType::kFloat32) {
    tensor->floats.assign(data.float_val().begin(), data.float_val().end());
  } else {
    tensor->ints.assign(data.int64_val().begin(), data.int64_val().end());
  }
  const int64_t stored = tensor->dtype == DType::kFloat32
                             ? data.float_val_size()
                             : data.int64_val_size();
  if (stored != elements) {
    return absl::DataLossError(absl::StrCat(
        where, ": ", stored, " values stored for ", elements, " elements"));
  }
  return absl::OkStatus();
}

// TensorFlow's block size of tables.
constexpr size_t kBlockBytes = 256 << 10;

void AddWholeSlice(const HostTensor& tensor,
                   tensorflow::TensorSliceProto* slice) {
  for (size_t i = 0; i < tensor.shape.size(); ++i) slice->add_extent();
}

// The key of a tensor's only slice in TensorFlow's ordered code: 0, the name,
// the number of dimensions, and for each its start 0 and the length -1, which
// stands for the whole.
std::string SliceKey(absl::string_view name, size_t dimensions) {
  CONTINUO_CHECK(dimensions < 256);
  std::string key(1, '\0');
  for (char c : name) {
    key.push_back(c);
    if (c == '\0') key.push_back('\xff');
    if (c == '\xff') key.push_back('\0');
  }
  key.append({'\0', '\1'});
  if (dimensions == 0) {
    key.push_back('\0');
  } else {
    key.append({'\1', static_cast<char>(dimensions)});
  }
  for (size_t i = 0; i < dimensions; ++i) key.append({'\x80', '\x7f'});
  return key;
}

}  // namespace

std::string BuildCheckpointV1(const TensorMap& tensors) {
  tensorflow::SavedTensorSlices list;
  std::map<std::string, std::string> slices;
  for (const auto& [name, tensor] : tensors) {
    tensorflow::SavedSliceMeta* entry = list.mutable_meta()->add_tensor();
    entry->set_name(name);
    entry->set_type(CheckpointDType(tensor.dtype));
    entry->mutable_shape();
    for (int64_t size : tensor.shape) {
      entry->mutable_shape()->add_dim()->set_size(size);
    }
    AddWholeSlice(tensor, entry->add_slice());
    tensorflow::SavedTensorSlices message;
    tensorflow::SavedSlice* slice = message.mutable_data();
    slice->set_name(name);
    AddWholeSlice(tensor, slice->mutable_slice());
    tensorflow::TensorProto* data = slice->mutable_data();
    if (tensor.dtype == DType::kFloat32) {
      data->mutable_float_val()->Add(tensor.floats.begin(),
                                     tensor.floats.end());
    } else {
      data->mutable_int64_val()->Add(tensor.ints.begin(), tensor.ints.end());
    }
    slices[SliceKey(name, tensor.shape.size())] = message.SerializeAsString();
  }
  list.mutable_meta()->mutable_versions()->set_producer(1);
  SstableEntries entries;
  entries.emplace_back("", list.SerializeAsString());
  for (auto& [key, value] : slices) entries.emplace_back(key, std::move(value));
  return BuildSstable(entries, kBlockBytes);
}

absl::StatusOr<TensorMap> ReadCheckpointV1(absl::string_view bytes,
                                           absl::string_view name) {
  CONTINUO_ASSIGN_OR_RETURN(const SstableEntries entries,
                            ReadSstable(bytes, name));
  tensorflow::SavedTensorSlices meta;
  if (entries.empty() || !entries[0].first.empty() ||
      !meta.ParseFromString(entries[0].second) || !meta.has_meta()) {
    return absl::DataLossError(
        absl::StrCat(name, ": no list of tensors, not a V1 checkpoint"));
  }
  TensorMap tensors;
  for (const auto& tensor : meta.meta().tensor()) {
    CONTINUO_ASSIGN_OR_RETURN(
        tensors[tensor.name()],
        EmptyHostTensor(tensor.type(), tensor.shape(),
                        absl::StrCat(name, ": tensor ", tensor.name())));
  }
  std::map<std::string, bool> filled;
  for (size_t i = 1; i < entries.size(); ++i) {
    tensorflow::SavedTensorSlices message;
    if (!message.ParseFromString(entries[i].second) || !message.has_data()) {
      return absl::DataLossError(absl::StrCat(name, ": unreadable entry ", i));
    }
    const tensorflow::SavedSlice& slice = message.data();
    const std::string where = absl::StrCat(name, ": tensor ", slice.name());
    const auto tensor = tensors.find(slice.name());
    if (tensor == tensors.end()) {
      return absl::DataLossError(
          absl::StrCat(where, ": missing from the list of tensors"));
    }
    CONTINUO_RETURN_IF_ERROR(FillTensor(slice, where, &tensor->second));
    filled[slice.name()] = true;
  }
  for (const auto& [tensor_name, tensor] : tensors) {
    if (!filled[tensor_name]) {
      return absl::DataLossError(
          absl::StrCat(name, ": tensor ", tensor_name, ": has no values"));
    }
  }
  return tensors;
}

}  // namespace continuo
