// SPDX-License-Identifier: Apache-2.0

// The attention cell in double precision, for the tests of its forms.

#ifndef CONTINUO_TESTS_KERNELS_ATTENTION_ATTENTION_REFERENCE_H_
#define CONTINUO_TESTS_KERNELS_ATTENTION_ATTENTION_REFERENCE_H_

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/kernels/common/kernel_testing.h"

namespace continuo::testing {

using Doubles = std::vector<double>;

// Inputs of one problem by name; sizes follow from n (units) and w (width of
// x). Matrices are row-major [in, out].
using Values = std::map<std::string, Floats>;
using DoubleValues = std::map<std::string, Doubles>;

struct Problem {
  Problem(const std::vector<int>& lengths, int units, int x_width, int slots)
      : ragged(lengths), n(units), w(x_width), window(slots) {
    const double s = 1.5 / std::sqrt(n);
    const int64_t square = int64_t{n} * n;
    values["x"] = Random(ragged.events() * w, 1);
    values["attention_to_x"] = Random(int64_t{n} * w, 2, s);
    values["x_to_gates"] = Random(int64_t{w} * 4 * n, 3, s);
    values["gates_bias"] = Random(4 * n, 4);
    values["recurrent"] = Random(4 * square, 5, s);
    values["c_to_query"] = Random(square, 6, s);
    values["h_to_query"] = Random(square, 7, s);
    values["query_bias"] = Random(n, 8);
    values["project"] = Random(square, 9, 2 * s);
    values["score"] = Random(n, 10, 2.0);
    values["h_to_out"] = Random(square, 11, s);
    values["attention_to_out"] = Random(square, 12, s);
    values["out_bias"] = Random(n, 13);
  }
  TestRaggedLayout ragged;
  int n, w, window;
  Values values;
};

inline double SigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }

// out [E, n] by the equations of the header, in double, projecting the whole
// window at every step.
inline Doubles Reference(const Problem& p, const DoubleValues& v) {
  const int n = p.n, w = p.w;
  const int64_t events = p.ragged.events();
  Doubles c(events * n), h(events * n), a(events * n), out(events * n);
  // sum += row [k] times matrix [k, columns].
  const auto add = [](const double* row, int k, const Doubles& matrix,
                      Doubles* sum) {
    const size_t columns = sum->size();
    for (int i = 0; i < k; ++i) {
      for (size_t j = 0; j < columns; ++j) {
        (*sum)[j] += row[i] * matrix[i * columns + j];
      }
    }
  };
  for (int64_t t = 0; t < p.ragged.steps(); ++t) {
    for (int64_t row = 0; row < p.ragged.batch_sizes[t]; ++row) {
      const int64_t e = p.ragged.event(t, row);
      const int64_t before = t > 0 ? p.ragged.event(t - 1, row) : -1;
      Doubles x(v.at("x").begin() + e * w, v.at("x").begin() + (e + 1) * w);
      if (t > 0) add(&a[before * n], n, v.at("attention_to_x"), &x);
      Doubles z = v.at("gates_bias");
      add(x.data(), w, v.at("x_to_gates"), &z);
      if (t > 0) add(&h[before * n], n, v.at("recurrent"), &z);
      for (int k = 0; k < n; ++k) {
        const double c_prev = t > 0 ? c[before * n + k] : 0.0;
        c[e * n + k] = c_prev * SigmoidOf(z[2 * n + k] + 1) +
                       SigmoidOf(z[k]) * std::tanh(z[n + k]);
        h[e * n + k] = std::tanh(c[e * n + k]) * SigmoidOf(z[3 * n + k]);
      }
      Doubles q = v.at("query_bias");
      add(&c[e * n], n, v.at("c_to_query"), &q);
      add(&h[e * n], n, v.at("h_to_query"), &q);
      Doubles weight(p.window);
      double total = 0;
      const auto slot = [&](int j) -> const double* {
        const int64_t step = t - p.window + j;
        return step < 0 ? nullptr : &out[p.ragged.event(step, row) * n];
      };
      for (int j = 0; j < p.window; ++j) {
        Doubles m(n, 0.0);
        if (slot(j) != nullptr) add(slot(j), n, v.at("project"), &m);
        double s = 0;
        for (int k = 0; k < n; ++k) {
          s += v.at("score")[k] * std::tanh(m[k] + q[k]);
        }
        weight[j] = std::exp(s);
        total += weight[j];
      }
      for (int j = 0; j < p.window; ++j) {
        for (int k = 0; k < n && slot(j) != nullptr; ++k) {
          a[e * n + k] += weight[j] / total * slot(j)[k];
        }
      }
      Doubles o = v.at("out_bias");
      add(&h[e * n], n, v.at("h_to_out"), &o);
      add(&a[e * n], n, v.at("attention_to_out"), &o);
      std::copy(o.begin(), o.end(), out.begin() + e * n);
    }
  }
  return out;
}

// The arrays of the operations after they have run.
struct Result {
  Floats x, gates, c, h, query, probabilities, attention, out, projected;
  // Backward.
  Floats dout, dprojected, dx, dscore;
  Floats window[4];
};

// The gradients of all inputs from what backward leaves (the products that
// the header leaves to the caller), in double.
inline DoubleValues Gradients(const Problem& p, const Result& r) {
  const int n = p.n, w = p.w;
  DoubleValues g;
  for (const auto& [name, values] : p.values) g[name].resize(values.size());
  const auto product = [](const float* x, int k, const float* dz, int columns,
                          Doubles* dw) {
    for (int i = 0; i < k; ++i) {
      for (int j = 0; j < columns; ++j) {
        (*dw)[i * columns + j] += static_cast<double>(x[i]) * dz[j];
      }
    }
  };
  const float one = 1.0f;
  for (int64_t t = 0; t < p.ragged.steps(); ++t) {
    for (int64_t row = 0; row < p.ragged.batch_sizes[t]; ++row) {
      const int64_t e = p.ragged.event(t, row);
      const float* dz = &r.gates[e * 4 * n];
      const float* dq = &r.query[e * n];
      const float* dout = &r.dout[e * n];
      product(&r.x[e * w], w, dz, 4 * n, &g["x_to_gates"]);
      product(&one, 1, dz, 4 * n, &g["gates_bias"]);
      product(&r.c[e * n], n, dq, n, &g["c_to_query"]);
      product(&r.h[e * n], n, dq, n, &g["h_to_query"]);
      product(&one, 1, dq, n, &g["query_bias"]);
      product(&r.out[e * n], n, &r.dprojected[e * n], n, &g["project"]);
      product(&r.h[e * n], n, dout, n, &g["h_to_out"]);
      product(&r.attention[e * n], n, dout, n, &g["attention_to_out"]);
      product(&one, 1, dout, n, &g["out_bias"]);
      if (t > 0) {
        const int64_t before = p.ragged.event(t - 1, row);
        product(&r.attention[before * n], n, &r.dx[e * w], w,
                &g["attention_to_x"]);
        product(&r.h[before * n], n, dz, 4 * n, &g["recurrent"]);
      }
    }
  }
  g["x"].assign(r.dx.begin(), r.dx.end());
  g["score"].assign(r.dscore.begin(), r.dscore.end());
  return g;
}

inline DoubleValues ToDouble(const Values& values) {
  DoubleValues doubles;
  for (const auto& [name, array] : values) {
    doubles[name].assign(array.begin(), array.end());
  }
  return doubles;
}

// Shorter and longer than the window, ragged, more than one block of rows.
inline const std::vector<std::vector<int>>& Lengths() {
  static const auto& lengths = *new std::vector<std::vector<int>>{
      {1}, {9, 6, 2}, {5, 5, 5, 5, 4, 4, 4, 4, 3, 3, 3, 2, 2, 1}};
  return lengths;
}

// The slope of the loss sum(dout * out) along one direction of each input,
// which moves all of it, by central differences; and the direction.
inline Floats Direction(size_t size) {
  return Random(static_cast<int64_t>(size), 30);
}
inline std::map<std::string, double> ReferenceSlopes(const Problem& p,
                                                     const Floats& dout) {
  const auto loss = [&](const DoubleValues& values) {
    const Doubles out = Reference(p, values);
    double sum = 0;
    for (size_t i = 0; i < out.size(); ++i) sum += dout[i] * out[i];
    return sum;
  };
  std::map<std::string, double> slopes;
  const DoubleValues values = ToDouble(p.values);
  for (const auto& [name, array] : values) {
    const Floats direction = Direction(array.size());
    constexpr double kStep = 1e-5;
    DoubleValues up = values, down = values;
    for (size_t i = 0; i < array.size(); ++i) {
      up[name][i] += kStep * direction[i];
      down[name][i] -= kStep * direction[i];
    }
    slopes[name] = (loss(up) - loss(down)) / (2 * kStep);
  }
  return slopes;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_ATTENTION_ATTENTION_REFERENCE_H_
