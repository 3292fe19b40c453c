// SPDX-License-Identifier: Apache-2.0

// The modulo encoder of performance_with_dynamics_and_modulo_encoding: inputs
// are points on circles, labels the one-hot numbering (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_MODULO_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_MODULO_H_

#include "data/events/encoding/one_hot.h"

namespace continuo {

// Columns, zero unless the event is of the type:
//   0-4    NOTE_ON p     1, cos and sin of p on a circle of 144 and of p mod 12
//                        on one of 12
//   5-9    NOTE_OFF p    the same
//   10-12  TIME_SHIFT s  1, cos and sin of s - 1 on a circle of 100
//   13-15  VELOCITY b    1, cos and sin of b - 1 on a circle of the bins
class ModuloPerformanceEncoder : public OneHotEncoder {
 public:
  // 1 <= num_velocity_bins <= 127.
  explicit ModuloPerformanceEncoder(int num_velocity_bins);

  int input_size() const override { return 16; }
  absl::Status EncodeInputs(absl::Span<const Event> events, int begin, int end,
                            SparseRows* rows) const override;

 private:
  int num_velocity_bins_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_MODULO_H_
