// SPDX-License-Identifier: Apache-2.0

// CRC-32C (Castagnoli), plain and masked as TFRecord, event files and
// TensorFlow checkpoints store it (formats: TFRecord framing).

#ifndef CONTINUO_RUNTIME_FILES_CRC32C_H_
#define CONTINUO_RUNTIME_FILES_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace continuo {

// Extends `crc` (0 at the start) by `data`. Polynomial 0x82f63b78 reflected,
// initial and final xor all ones.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view data);
inline uint32_t Crc32c(absl::string_view data) { return ExtendCrc32c(0, data); }

// The rotation and offset that keep a stored CRC from being its own CRC.
inline uint32_t MaskCrc(uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}
inline uint32_t MaskedCrc32c(absl::string_view data) {
  return MaskCrc(Crc32c(data));
}

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_CRC32C_H_
