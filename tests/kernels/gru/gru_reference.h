// SPDX-License-Identifier: Apache-2.0

// The GRU in double, for the tests of all its forms.

#ifndef CONTINUO_TESTS_KERNELS_GRU_GRU_REFERENCE_H_
#define CONTINUO_TESTS_KERNELS_GRU_GRU_REFERENCE_H_

#include <cmath>
#include <vector>

#include "kernels/gru/gru.h"
#include "tests/kernels/common/kernel_testing.h"

namespace continuo::testing {

using Doubles = std::vector<double>;

// Batches with a single row, equal rows, ragged rows, and more rows than a
// block of the CPU form takes.
inline const std::vector<std::vector<int>>& GruLengths() {
  static const auto& lengths = *new std::vector<std::vector<int>>{
      {1}, {5, 5}, {7, 4, 4, 1}, {3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1}};
  return lengths;
}

struct GruProblem {
  GruProblem(const std::vector<int>& lengths, int units)
      : ragged(lengths),
        n(units),
        gates(Random(ragged.events() * 2 * n, 1)),
        candidate(Random(ragged.events() * n, 2)),
        recurrent_gates(Random(int64_t{2} * n * n, 3, 2.0 / std::sqrt(n))),
        recurrent_candidate(Random(int64_t{1} * n * n, 4, 2.0 / std::sqrt(n))) {
  }
  // Makes it continue from a state.
  void StartFromState() { initial_h = Random(ragged.rows() * n, 5); }

  TestRaggedLayout ragged;
  int n;
  Floats gates;                // [E, 2n] x Kg + bg
  Floats candidate;            // [E, n] x Kc + bc
  Floats recurrent_gates;      // [n, 2n]
  Floats recurrent_candidate;  // [n, n]
  Floats initial_h;            // [N, n], or empty
};

struct GruDoubles {
  Doubles gates, candidate, reset, h;
};

// Written as TensorFlow's GRUCell is: r and u are the halves of one product of
// [x, h], the candidate is a product of [x, r * h].
inline GruDoubles GruReference(const GruProblem& p, const Doubles& zg,
                               const Doubles& zc) {
  const int n = p.n;
  GruDoubles s = {zg, zc, Doubles(zc.size()), Doubles(zc.size())};
  for (int64_t t = 0; t < p.ragged.steps(); ++t) {
    for (int64_t row = 0; row < p.ragged.batch_sizes[t]; ++row) {
      const int64_t e = p.ragged.event(t, row);
      Doubles before(n, 0.0);
      for (int k = 0; k < n; ++k) {
        if (t > 0) {
          before[k] = s.h[p.ragged.event(t - 1, row) * n + k];
        } else if (!p.initial_h.empty()) {
          before[k] = p.initial_h[row * n + k];
        }
      }
      double* const gates = s.gates.data() + e * 2 * n;
      double* const candidate = s.candidate.data() + e * n;
      double* const reset = s.reset.data() + e * n;
      for (int k = 0; k < 2 * n; ++k) {
        for (int i = 0; i < n; ++i) {
          gates[k] += before[i] * p.recurrent_gates[i * 2 * n + k];
        }
        gates[k] = 1 / (1 + std::exp(-gates[k]));
      }
      for (int k = 0; k < n; ++k) reset[k] = gates[k] * before[k];
      for (int k = 0; k < n; ++k) {
        for (int i = 0; i < n; ++i) {
          candidate[k] += reset[i] * p.recurrent_candidate[i * n + k];
        }
        candidate[k] = std::tanh(candidate[k]);
        const double u = gates[n + k];
        s.h[e * n + k] = u * before[k] + (1 - u) * candidate[k];
      }
    }
  }
  return s;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_GRU_GRU_REFERENCE_H_
