// SPDX-License-Identifier: Apache-2.0

// Quantization: times in seconds to steps of a grid (data/notes/README.md). The
// order of the double operations is Magenta's, because values such as
// 127.999... decide which step a note lands on.

#ifndef CONTINUO_DATA_NOTES_QUANTIZE_H_
#define CONTINUO_DATA_NOTES_QUANTIZE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Steps beyond this (4,000 years of sixteenths) are refused as damage, which
// keeps every later sum of steps far from overflow.
inline constexpr int64_t kMaxQuantizedStep = int64_t{1} << 40;

// int(seconds * steps_per_second + (1 - cutoff)), truncated toward zero: with
// cutoff 0.5 halves go up, with 0 an exact step moves up by one, with 1 the
// value is truncated. Not-a-number gives 0; values beyond +-2^62 saturate.
int64_t QuantizeToStep(double seconds, double steps_per_second,
                       double cutoff = 0.5);

// steps_per_quarter * qpm / 60.
double StepsPerSecond(int steps_per_quarter, double qpm);

// Why a sequence cannot be quantized.
enum class QuantizeFailure {
  kNone,
  kMultipleTimeSignatures,  // a change, or one not 4/4 that starts late
  kMultipleTempos,          // a change, or one not 120 that starts late
  kBadTimeSignature,        // denominator no power of two, numerator below 1
  kNegativeTime,
  kTimeOutOfRange,  // infinite, not a number or beyond kMaxQuantizedStep
};

// Quantizes `sequence` in place on a grid that follows its one tempo: notes
// (at least one step each), control changes, text annotations and total time.
// Afterwards it has exactly one time signature and one tempo, at time 0 (4/4
// and 120 if it had none). InvalidArgument says what is wrong and `failure`
// (optional) which kind; the sequence is then unusable.
absl::Status QuantizeMetric(int steps_per_quarter,
                            tensorflow::magenta::NoteSequence* sequence,
                            QuantizeFailure* failure = nullptr);

// The same on a fixed grid, whatever the tempo and metre, which stay as they
// are. Only kNegativeTime and kTimeOutOfRange can occur.
absl::Status QuantizeAbsolute(int steps_per_second,
                              tensorflow::magenta::NoteSequence* sequence,
                              QuantizeFailure* failure = nullptr);

// Steps of a bar of a sequence from QuantizeMetric; fractional for metres such
// as 3/32 at 4 steps per quarter.
double StepsPerBar(const tensorflow::magenta::NoteSequence& quantized);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_QUANTIZE_H_
