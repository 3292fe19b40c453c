// Where the uniform numbers of sampling come from.

#ifndef CONTINUO_GENERATE_DECODING_DRAWS_H_
#define CONTINUO_GENERATE_DECODING_DRAWS_H_

#include <cstdint>
#include <optional>

#include "kernels/decoding/draws.h"
#include "runtime/base/log.h"

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
  // Of sources that are SeededDraws, which a device draws by itself.
  virtual std::optional<uint64_t> seed() const { return std::nullopt; }
};

// Counter-based draws of a seed: the same for every batching, thread count and
// device.
class SeededDraws : public DrawSource {
 public:
  explicit SeededDraws(uint64_t seed) : seed_(seed) {}

  double Draw(const DrawPosition& position) const override {
    CONTINUO_CHECK(position.head < kMaxDrawHeads &&
                   position.entry < (int64_t{1} << 32) / kMaxDrawHeads);
    return SampleDraw(seed_, position.output, position.step, position.entry,
                      position.head);
  }
  std::optional<uint64_t> seed() const override { return seed_; }

 private:
  uint64_t seed_;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_DRAWS_H_
