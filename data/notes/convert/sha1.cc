// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/sha1.h"

#include <array>
#include <bit>
#include <cstdint>

#include "absl/strings/escaping.h"

namespace continuo {
namespace {

constexpr size_t kBlockSize = 64;

void AddBlock(absl::string_view block, std::array<uint32_t, 5>* state) {
  std::array<uint32_t, 80> w;
  for (size_t i = 0; i < 16; ++i) {
    w[i] = 0;
    for (size_t j = 0; j < 4; ++j) {
      w[i] = w[i] << 8 | static_cast<unsigned char>(block[4 * i + j]);
    }
  }
  for (size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  auto [a, b, c, d, e] = *state;
  for (size_t i = 0; i < 80; ++i) {
    uint32_t f;
    if (i < 20) {
      f = ((b & c) | (~b & d)) + 0x5a827999u;
    } else if (i < 40) {
      f = (b ^ c ^ d) + 0x6ed9eba1u;
    } else if (i < 60) {
      f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
    } else {
      f = (b ^ c ^ d) + 0xca62c1d6u;
    }
    const uint32_t next = std::rotl(a, 5) + f + e + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const std::array<uint32_t, 5> sums = {a, b, c, d, e};
  for (size_t i = 0; i < 5; ++i) (*state)[i] += sums[i];
}

}  // namespace

std::string Sha1Hex(absl::string_view text) {
  std::array<uint32_t, 5> state = {0x67452301u, 0xefcdab89u, 0x98badcfeu,
                                   0x10325476u, 0xc3d2e1f0u};
  // Padding: a one bit, zeros, the length in bits as eight bytes.
  std::string padded(text);
  const uint64_t bits = uint64_t{text.size()} * 8;
  padded.push_back('\x80');
  while (padded.size() % kBlockSize != kBlockSize - 8) padded.push_back('\0');
  for (int shift = 56; shift >= 0; shift -= 8) {
    padded.push_back(static_cast<char>(bits >> shift));
  }
  for (size_t i = 0; i < padded.size(); i += kBlockSize) {
    AddBlock(absl::string_view(padded).substr(i, kBlockSize), &state);
  }
  std::string digest;
  for (const uint32_t word : state) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      digest.push_back(static_cast<char>(word >> shift));
    }
  }
  return absl::BytesToHexString(digest);
}

}  // namespace continuo
