// SPDX-License-Identifier: Apache-2.0

// Exact note lengths and positions of ABC tunes, in whole notes.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_RATIONAL_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_RATIONAL_H_

#include <cstdint>
#include <numeric>

namespace continuo {

// num / den in lowest terms with den > 0. den == 0 marks a value that does not
// fit into 64 bits (or a division by zero); every result made from it is one,
// so a chain of operations is checked once, at its end.
struct AbcRational {
  int64_t num = 0;
  int64_t den = 1;

  bool valid() const { return den != 0; }
  double ToDouble() const {
    return static_cast<double>(num) / static_cast<double>(den);
  }
};

inline constexpr AbcRational kInvalidRational = {0, 0};

// Reduces; any signs, den == 0 gives the invalid value.
inline AbcRational MakeRational(int64_t num, int64_t den) {
  // The one value whose absolute value does not exist.
  if (den == 0 || num == INT64_MIN || den == INT64_MIN) return kInvalidRational;
  const int64_t g = std::gcd(num, den);
  const int64_t sign = den < 0 ? -1 : 1;
  return {sign * num / g, sign * den / g};
}

inline AbcRational operator*(AbcRational a, AbcRational b) {
  if (!a.valid() || !b.valid()) return kInvalidRational;
  // Cross-reduced first, so only a result that does not fit overflows.
  const AbcRational x = MakeRational(a.num, b.den);
  const AbcRational y = MakeRational(b.num, a.den);
  AbcRational r;
  if (!x.valid() || !y.valid() ||
      __builtin_mul_overflow(x.num, y.num, &r.num) ||
      __builtin_mul_overflow(x.den, y.den, &r.den)) {
    return kInvalidRational;
  }
  return r;
}

inline AbcRational operator+(AbcRational a, AbcRational b) {
  if (!a.valid() || !b.valid()) return kInvalidRational;
  const int64_t g = std::gcd(a.den, b.den);
  int64_t x, y, num, den;
  if (__builtin_mul_overflow(a.num, b.den / g, &x) ||
      __builtin_mul_overflow(b.num, a.den / g, &y) ||
      __builtin_add_overflow(x, y, &num) ||
      __builtin_mul_overflow(a.den / g, b.den, &den)) {
    return kInvalidRational;
  }
  return MakeRational(num, den);
}

inline AbcRational operator-(AbcRational a, AbcRational b) {
  return a + AbcRational{-b.num, b.den};
}

inline bool operator==(AbcRational a, AbcRational b) {
  return a.num == b.num && a.den == b.den;
}

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_RATIONAL_H_
