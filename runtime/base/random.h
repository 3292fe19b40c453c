// SPDX-License-Identifier: Apache-2.0

// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011), the same bits on host and device.
//
// A number is a pure function of (seed, purpose, counter): no state is carried,
// so results depend neither on thread count nor on batching nor on order.

#ifndef CONTINUO_RUNTIME_BASE_RANDOM_H_
#define CONTINUO_RUNTIME_BASE_RANDOM_H_

#include <cstdint>

#if defined(__CUDACC__)
#define CONTINUO_HOST_DEVICE __host__ __device__
#else
#define CONTINUO_HOST_DEVICE
#endif

namespace continuo {

// The purpose of a random number. Each is an independent stream of the
// same seed; the values are part of reproducibility and never change.
enum class RandomPurpose : uint32_t {
  kInitialWeights = 1,
  kShuffle = 2,
  kDropout = 3,
  kSample = 4,
  kPartition = 5,
  kPrimer = 6,
};

struct Philox4 {
  uint32_t v[4];
};

// One block of four 32-bit numbers for a 128-bit counter and a 64-bit key.
CONTINUO_HOST_DEVICE inline Philox4 PhiloxBlock(uint32_t c0, uint32_t c1,
                                                uint32_t c2, uint32_t c3,
                                                uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c0;
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c2;
    const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<uint32_t>(p1);
    c3 = static_cast<uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// Block `index` of stream (seed, purpose, stream). `stream` distinguishes
// independent users of one purpose: a training step, an output number.
// stream < 2^32 and index < 2^64.
CONTINUO_HOST_DEVICE inline Philox4 RandomBlock(uint64_t seed,
                                                RandomPurpose purpose,
                                                uint64_t stream,
                                                uint64_t index) {
  // The purpose shares a counter word with the high half of the stream.
  return PhiloxBlock(
      static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
      static_cast<uint32_t>(stream),
      static_cast<uint32_t>(purpose) ^
          (static_cast<uint32_t>(stream >> 32) << 8),
      static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

// 53 random bits as a double in [0, 1).
CONTINUO_HOST_DEVICE inline double UniformDouble(uint32_t high, uint32_t low) {
  const uint64_t bits = (uint64_t{high} << 21) ^ (uint64_t{low} >> 11);
  return static_cast<double>(bits) * (1.0 / 9007199254740992.0);
}

// 24 random bits as a float in [0, 1).
CONTINUO_HOST_DEVICE inline float UniformFloat(uint32_t bits) {
  return static_cast<float>(bits >> 8) * (1.0f / 16777216.0f);
}

// The double in [0, 1) at position `index` of a stream.
CONTINUO_HOST_DEVICE inline double RandomDouble(uint64_t seed,
                                                RandomPurpose purpose,
                                                uint64_t stream,
                                                uint64_t index) {
  const Philox4 block = RandomBlock(seed, purpose, stream, index);
  return UniformDouble(block.v[0], block.v[1]);
}

// An integer in [0, bound) at position `index`; bound >= 1. The bias of the
// multiply-shift is below bound / 2^64.
inline uint64_t RandomBelow(uint64_t seed, RandomPurpose purpose,
                            uint64_t stream, uint64_t index, uint64_t bound) {
  const Philox4 block = RandomBlock(seed, purpose, stream, index);
  const uint64_t bits = (uint64_t{block.v[0]} << 32) | block.v[1];
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * bound) >>
                               64);
}

// A seed from the operating system, for commands run without --seed.
uint64_t RandomSeed();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_RANDOM_H_
