// SPDX-License-Identifier: Apache-2.0

// The network of TensorFlow 0.x with attention around all layers, in double
// precision and written from its description alone, for tests of its fast form.

#ifndef CONTINUO_TESTS_TESTING_STACK_ATTENTION_H_
#define CONTINUO_TESTS_TESTING_STACK_ATTENTION_H_

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace continuo::testing {

using Doubles = std::vector<double>;

// Weights under the names of TensorFlow 0.x.
class StackAttention {
 public:
  StackAttention(const TensorMap& tensors, std::vector<int> layers, int window)
      : tensors_(tensors), layers_(std::move(layers)) {
    for (int n : layers_) {
      c_.emplace_back(n, 0.0);
      h_.emplace_back(n, 0.0);
    }
    a_.assign(layers_.back(), 0.0);
    memory_.assign(window, a_);
  }

  // One step: the logits after input x.
  Doubles Step(const Doubles& x) {
    const std::string scope = "RNN/AttentionCellWrapper/";
    Doubles y = Dense(Joined({x, a_}), scope + "Linear/");
    for (size_t i = 0; i < layers_.size(); ++i) {
      const size_t n = layers_[i];
      const Doubles z = Dense(Joined({y, h_[i]}), scope + "MultiRNNCell/Cell" +
                                                      std::to_string(i) +
                                                      "/BasicLSTMCell/Linear/");
      for (size_t k = 0; k < n; ++k) {
        c_[i][k] = c_[i][k] * Sigmoid(z[2 * n + k] + 1) +
                   Sigmoid(z[k]) * std::tanh(z[n + k]);
        h_[i][k] = std::tanh(c_[i][k]) * Sigmoid(z[3 * n + k]);
      }
      y = h_[i];
    }
    Doubles states;
    for (size_t i = 0; i < layers_.size(); ++i) {
      states = Joined({states, c_[i], h_[i]});
    }
    const Doubles q = Dense(states, scope + "Attention/Linear/");
    const std::vector<float>& w = Values(scope + "Attention/AttnW");
    const std::vector<float>& v = Values(scope + "Attention/AttnV");
    const size_t n = q.size();
    Doubles p;
    double sum = 0;
    for (const Doubles& m : memory_) {
      double score = 0;
      for (size_t k = 0; k < n; ++k) {
        double projected = 0;
        for (size_t j = 0; j < n; ++j) projected += m[j] * w[j * n + k];
        score += v[k] * std::tanh(projected + q[k]);
      }
      p.push_back(std::exp(score));
      sum += p.back();
    }
    a_.assign(n, 0.0);
    for (size_t t = 0; t < memory_.size(); ++t) {
      for (size_t k = 0; k < n; ++k) a_[k] += p[t] / sum * memory_[t][k];
    }
    const Doubles out =
        Dense(Joined({y, a_}), scope + "AttnOutputProjection/Linear/");
    memory_.erase(memory_.begin());
    memory_.push_back(out);
    return Dense(out, "fully_connected/", "weights", "biases");
  }

  // The one state tensor: c0 h0 c1 h1 ... a M.
  Doubles State() const {
    Doubles state;
    for (size_t i = 0; i < layers_.size(); ++i) {
      state = Joined({state, c_[i], h_[i]});
    }
    state = Joined({state, a_});
    for (const Doubles& m : memory_) state = Joined({state, m});
    return state;
  }

 private:
  static double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  static Doubles Joined(const std::vector<Doubles>& parts) {
    Doubles all;
    for (const Doubles& part : parts) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  const std::vector<float>& Values(const std::string& name) const {
    return tensors_.at(name).floats;
  }

  Doubles Dense(const Doubles& x, const std::string& scope,
                const std::string& matrix = "Matrix",
                const std::string& bias = "Bias") const {
    const std::vector<float>& kernel = Values(scope + matrix);
    const std::vector<float>& start = Values(scope + bias);
    Doubles y(start.begin(), start.end());
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < y.size(); ++j) {
        y[j] += x[i] * kernel[i * y.size() + j];
      }
    }
    return y;
  }

  TensorMap tensors_;
  std::vector<int> layers_;
  std::vector<Doubles> c_;
  std::vector<Doubles> h_;
  Doubles a_;
  std::vector<Doubles> memory_;  // oldest first
};

// Random weights of such a network.
inline TensorMap StackAttentionTensors(int input, int classes,
                                       const std::vector<int>& layers) {
  TensorMap tensors;
  uint32_t seed = 12345;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    int64_t size = 1;
    for (int64_t dim : shape) size *= dim;
    HostTensor& tensor = tensors[name];
    tensor.shape = std::move(shape);
    for (int64_t i = 0; i < size; ++i) {
      seed = seed * 1664525u + 1013904223u;
      tensor.floats.push_back(static_cast<float>(seed >> 8) / (1 << 24) - 0.5f);
    }
  };
  const std::string scope = "RNN/AttentionCellWrapper/";
  const int n = layers.back();
  add(scope + "Linear/Matrix", {input + n, input});
  add(scope + "Linear/Bias", {input});
  int in = input;
  int state = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string cell = scope + "MultiRNNCell/Cell" + std::to_string(i) +
                             "/BasicLSTMCell/Linear/";
    add(cell + "Matrix", {in + layers[i], 4 * layers[i]});
    add(cell + "Bias", {4 * layers[i]});
    in = layers[i];
    state += 2 * layers[i];
  }
  add(scope + "Attention/AttnW", {1, 1, n, n});
  add(scope + "Attention/AttnV", {n});
  add(scope + "Attention/Linear/Matrix", {state, n});
  add(scope + "Attention/Linear/Bias", {n});
  add(scope + "AttnOutputProjection/Linear/Matrix", {2 * n, n});
  add(scope + "AttnOutputProjection/Linear/Bias", {n});
  add("fully_connected/weights", {n, classes});
  add("fully_connected/biases", {classes});
  return tensors;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_STACK_ATTENTION_H_
