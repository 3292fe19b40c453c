// Where the uniform numbers of sampling come from.

#ifndef CONTINUO_GENERATE_DRAWS_H_
#define CONTINUO_GENERATE_DRAWS_H_

#include <cstdint>

#include "runtime/log.h"
#include "runtime/random.h"

namespace continuo {

// Which draw of a run: a draw belongs to an output, an event of it, an entry of
// its beam and a softmax head, and to nothing else.
struct DrawPosition {
  uint64_t output = 0;  // number of the output in the run
  int64_t step = 0;     // events generated before this one
  int entry = 0;        // position in the branched beam
  int head = 0;
};

// A pure function from positions to numbers in [0, 1); called from several
// threads at once.
class DrawSource {
 public:
  virtual ~DrawSource() = default;
  virtual double Draw(const DrawPosition& position) const = 0;
};

// Counter-based draws of a seed: the same for every batching, thread count and
// device.
class SeededDraws : public DrawSource {
 public:
  explicit SeededDraws(uint64_t seed) : seed_(seed) {}

  double Draw(const DrawPosition& position) const override {
    // The low word of the counter tells entries and heads apart, so that an
    // output's first entry draws the same numbers whatever the beam size.
    CONTINUO_CHECK(position.head < kMaxHeads &&
                   position.entry < (int64_t{1} << 32) / kMaxHeads);
    const uint64_t low = static_cast<uint64_t>(position.entry) * kMaxHeads +
                         static_cast<uint64_t>(position.head);
    return RandomDouble(seed_, RandomPurpose::kSample, position.output,
                        (static_cast<uint64_t>(position.step) << 32) | low);
  }

 private:
  static constexpr int kMaxHeads = 16;
  uint64_t seed_;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DRAWS_H_
