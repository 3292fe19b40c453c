// SPDX-License-Identifier: Apache-2.0

// The LSTM in double, for the tests of all its forms.

#ifndef CONTINUO_TESTS_KERNELS_LSTM_LSTM_REFERENCE_H_
#define CONTINUO_TESTS_KERNELS_LSTM_LSTM_REFERENCE_H_

#include <cmath>
#include <vector>

#include "kernels/lstm/lstm.h"
#include "tests/kernels/common/kernel_testing.h"

namespace continuo::testing {

using Doubles = std::vector<double>;

// Batches with a single row, equal rows, ragged rows, and more rows than a
// block of any form takes.
inline const std::vector<std::vector<int>>& Lengths() {
  static const auto& lengths = *new std::vector<std::vector<int>>{
      {1}, {5, 5}, {7, 4, 4, 1}, {3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1}};
  return lengths;
}

struct Problem {
  Problem(const std::vector<int>& lengths, int units)
      : ragged(lengths),
        n(units),
        z(Random(ragged.events() * 4 * n, 1)),
        recurrent(Random(int64_t{4} * n * n, 2, 2.0 / std::sqrt(n))) {}
  // Makes it continue from a state.
  void StartFromState() {
    initial_c = Random(ragged.rows() * n, 5);
    initial_h = Random(ragged.rows() * n, 6);
  }

  TestRaggedLayout ragged;
  int n;
  Floats z;                     // [E, 4n] input part
  Floats recurrent;             // [n, 4n]
  Floats initial_c, initial_h;  // [N, n], or empty
};

inline double SigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }

struct DoubleState {
  Doubles gates;  // [E, 4n] activated
  Doubles c, h;   // [E, n]
};

// The equations of kernels/lstm/lstm.h.
inline DoubleState Reference(const Problem& p, const Doubles& z) {
  const int n = p.n;
  DoubleState s;
  s.gates.resize(z.size());
  s.c.resize(p.ragged.events() * n);
  s.h.resize(p.ragged.events() * n);
  const auto before = [&](int64_t t, int64_t row, const Doubles& events,
                          const Floats& initial, int unit) {
    if (t > 0) return events[p.ragged.event(t - 1, row) * n + unit];
    return initial.empty() ? 0.0 : double{initial[row * n + unit]};
  };
  for (int64_t t = 0; t < p.ragged.steps(); ++t) {
    for (int64_t row = 0; row < p.ragged.batch_sizes[t]; ++row) {
      const int64_t e = p.ragged.event(t, row);
      Doubles sums(z.begin() + e * 4 * n, z.begin() + (e + 1) * 4 * n);
      for (int i = 0; i < n; ++i) {
        const double h = before(t, row, s.h, p.initial_h, i);
        for (int k = 0; k < 4 * n; ++k)
          sums[k] += h * p.recurrent[i * 4 * n + k];
      }
      double* const gates = s.gates.data() + e * 4 * n;
      for (int k = 0; k < n; ++k) {
        gates[k] = SigmoidOf(sums[k]);
        gates[n + k] = std::tanh(sums[n + k]);
        gates[2 * n + k] = SigmoidOf(sums[2 * n + k] + 1);
        gates[3 * n + k] = SigmoidOf(sums[3 * n + k]);
        s.c[e * n + k] =
            before(t, row, s.c, p.initial_c, k) * gates[2 * n + k] +
            gates[k] * gates[n + k];
        s.h[e * n + k] = std::tanh(s.c[e * n + k]) * gates[3 * n + k];
      }
    }
  }
  return s;
}

// dz of the loss sum(dh * h) of a problem that starts from the zero state.
inline Doubles ReferenceBackward(const Problem& p, const DoubleState& s,
                                 const Floats& dh) {
  const int n = p.n;
  Doubles dz(s.gates.size());
  Doubles dc(p.ragged.rows() * n), dh_next(p.ragged.rows() * n);
  for (int64_t t = p.ragged.steps() - 1; t >= 0; --t) {
    for (int64_t row = 0; row < p.ragged.batch_sizes[t]; ++row) {
      const int64_t e = p.ragged.event(t, row);
      const double* const g = s.gates.data() + e * 4 * n;
      double* const d = dz.data() + e * 4 * n;
      for (int k = 0; k < n; ++k) {
        const double i = g[k], j = g[n + k], f = g[2 * n + k], o = g[3 * n + k];
        const double tanh_c = std::tanh(s.c[e * n + k]);
        const double c_prev =
            t > 0 ? s.c[p.ragged.event(t - 1, row) * n + k] : 0.0;
        const double dout = dh[e * n + k] + dh_next[row * n + k];
        const double dcell = dc[row * n + k] + dout * o * (1 - tanh_c * tanh_c);
        d[k] = dcell * j * i * (1 - i);
        d[n + k] = dcell * i * (1 - j * j);
        d[2 * n + k] = dcell * c_prev * f * (1 - f);
        d[3 * n + k] = dout * tanh_c * o * (1 - o);
        dc[row * n + k] = dcell * f;
      }
      for (int i = 0; i < n; ++i) {
        double sum = 0;
        for (int k = 0; k < 4 * n; ++k)
          sum += d[k] * p.recurrent[i * 4 * n + k];
        dh_next[row * n + i] = sum;
      }
    }
  }
  return dz;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_LSTM_LSTM_REFERENCE_H_
