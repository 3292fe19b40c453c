// SPDX-License-Identifier: Apache-2.0

// Any bytes as a safetensors file: an error, or tensors that are written and
// read back as they are.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "models/checkpoint/safetensors.h"
#include "runtime/base/log.h"

namespace {

void TryBytes(absl::string_view bytes) {
  const auto contents = continuo::ParseSafetensors(bytes, "fuzz");
  if (!contents.ok()) return;
  for (const auto& [name, tensor] : contents->tensors) {
    int64_t elements = 1;
    for (const int64_t size : tensor.shape) elements *= size;
    CONTINUO_CHECK(int64_t(tensor.floats.size() + tensor.ints.size()) ==
                   elements);
  }
  const std::string written = continuo::SerializeSafetensors(*contents);
  const auto again = continuo::ParseSafetensors(written, "written");
  CONTINUO_CHECK(again.ok());
  CONTINUO_CHECK(again->tensors.size() == contents->tensors.size());
  CONTINUO_CHECK(continuo::SerializeSafetensors(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryBytes(bytes);
  // Half of the input as the header, with the size it needs.
  const uint64_t header_size = size / 2;
  std::string framed(sizeof(header_size), '\0');
  std::memcpy(framed.data(), &header_size, sizeof(header_size));
  framed.append(bytes.data(), bytes.size());
  TryBytes(framed);
  return 0;
}
