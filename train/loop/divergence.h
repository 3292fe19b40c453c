// SPDX-License-Identifier: Apache-2.0

// Distinguishes a diverged training from a noisy one.
//
// A loss can be finite and worthless: with a learning rate of 1e20 it is 1e20,
// and stays there. The verdict depends on the losses alone, and its state of
// one number is stored in checkpoints, so that a resumed run judges as if it
// had never stopped.

#ifndef CONTINUO_TRAIN_LOOP_DIVERGENCE_H_
#define CONTINUO_TRAIN_LOOP_DIVERGENCE_H_

#include <cstdint>
#include <vector>

namespace continuo {

// The loss, in nats per label, above which a network has learned less than
// nothing: four times that of a guess that knows how frequent each label is
// (`unigram_nats`), and in any case well above that of a guess that takes all
// for equally frequent, which is where a training begins.
double DivergedLoss(double unigram_nats, const std::vector<int>& head_sizes);

// Evidence of the steps so far: each one's loss adds how far it is above
// `limit`, by share and at most 1, or takes away how far it is below.
float AddEvidence(float evidence, double loss, double limit);

// Whether the loss has stayed above the limit: for 20 steps if it is twice as
// high, for more if it is less, whatever a few steps between them say. Never in
// the first 100 steps, in which a training may find its way back.
bool HasDiverged(float evidence, int64_t step);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_DIVERGENCE_H_
