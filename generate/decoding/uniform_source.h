// SPDX-License-Identifier: Apache-2.0

// The source of the uniform random numbers of sampling.

#ifndef CONTINUO_GENERATE_DECODING_UNIFORM_SOURCE_H_
#define CONTINUO_GENERATE_DECODING_UNIFORM_SOURCE_H_

#include <cstdint>
#include <optional>

#include "kernels/decoding/uniform.h"
#include "runtime/base/log.h"

namespace continuo {

// Identifies a draw of a run by output, event, hypothesis and softmax head.
struct DrawPosition {
  uint64_t output = 0;  // number of the output in the run
  int64_t step = 0;     // events generated before this one
  int hypothesis = 0;   // position in the branched beam
  int head = 0;
};

// A pure function from positions to numbers in [0, 1); called from several
// threads at once.
class UniformSource {
 public:
  virtual ~UniformSource() = default;
  virtual double Draw(const DrawPosition& position) const = 0;
  // The seed, if a device can draw the same numbers by DrawUniforms.
  virtual std::optional<uint64_t> seed() const { return std::nullopt; }
};

// Counter-based draws of a seed: the same for every batching, thread count and
// device.
class SeededUniformSource : public UniformSource {
 public:
  explicit SeededUniformSource(uint64_t seed) : seed_(seed) {}

  double Draw(const DrawPosition& position) const override {
    CONTINUO_CHECK(position.head < kMaxUniformHeads &&
                   position.hypothesis < (int64_t{1} << 32) / kMaxUniformHeads);
    return SampleUniform(seed_, position.output, position.step,
                         position.hypothesis, position.head);
  }
  std::optional<uint64_t> seed() const override { return seed_; }

 private:
  uint64_t seed_;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_UNIFORM_SOURCE_H_
