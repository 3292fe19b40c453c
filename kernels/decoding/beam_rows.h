// SPDX-License-Identifier: Apache-2.0

// The beams of a batch between two steps, where they are: scores, and the row
// that each row continues.

#ifndef CONTINUO_KERNELS_DECODING_BEAM_ROWS_H_
#define CONTINUO_KERNELS_DECODING_BEAM_ROWS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/tensor.h"

namespace continuo {

// scores[r] += log_p[t, r] for all t, in order.
struct AddScoresArgs {
  TensorView log_p;   // [T, rows] double
  TensorView scores;  // [rows] double, in and out
};
CONTINUO_OPERATION(AddScores);

// Rows are `prefixes`, then the E hypotheses of each of S searches. A search
// whose iteration ends continues its kept hypotheses, repeated as BeamBranch
// does (kernels/decoding/beam.h); all other rows continue themselves. Then only
// rows `keep` stay.
struct BeamRowsArgs {
  int64_t prefixes = 0;
  int64_t hypotheses = 1;  // E
  TensorView kept;         // [S, K] int32, positions in [0, E)
  TensorView ending;       // [S] int32, 1 where the iteration ends
  TensorView keep = {};    // optional [N] int32; without it N = all rows
  TensorView source;       // out [N] int32
};
CONTINUO_OPERATION(BeamRows);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_DECODING_BEAM_ROWS_H_
