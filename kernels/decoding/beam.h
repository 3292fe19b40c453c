// SPDX-License-Identifier: Apache-2.0

// Beam search bookkeeping: which hypotheses of a list survive a pruning, and
// the row index list with which states follow them (EventRnnDecoder::Reorder).

#ifndef CONTINUO_KERNELS_DECODING_BEAM_H_
#define CONTINUO_KERNELS_DECODING_BEAM_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Keeps the best K of the E hypotheses of each of R searches.
struct BeamPruneArgs {
  TensorView scores;  // [R, E] double, none of them not-a-number
  TensorView kept;    // out [R, K] int32, K <= E: positions in [0, E), best
                      // first; of equal scores the earlier hypothesis first
};

// Repeats each search's kept hypotheses F times: the whole list, then the whole
// list again.
struct BeamBranchArgs {
  TensorView kept;     // [R, K] int32, positions in [0, hypotheses)
  int hypotheses = 0;  // E, rows of one search before the pruning
  TensorView source;   // out [R, F * K] int32, rows in [0, R * E)
};

CONTINUO_OPERATION(BeamPrune);
CONTINUO_OPERATION(BeamBranch);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_DECODING_BEAM_H_
