// SPDX-License-Identifier: Apache-2.0

// Numbers in files.

#ifndef CONTINUO_RUNTIME_FILES_LITTLE_ENDIAN_H_
#define CONTINUO_RUNTIME_FILES_LITTLE_ENDIAN_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace continuo {

// The number in `bytes`, at most 8 of them.
inline uint64_t LoadLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

inline void AppendLittleEndian(uint64_t value, int size, std::string* out) {
  for (int i = 0; i < size; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_LITTLE_ENDIAN_H_
