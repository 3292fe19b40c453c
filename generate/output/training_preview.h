// SPDX-License-Identifier: Apache-2.0

// Previews of what a network in training generates: a few outputs without a
// primer, and pictures of them.

#ifndef CONTINUO_GENERATE_OUTPUT_TRAINING_PREVIEW_H_
#define CONTINUO_GENERATE_OUTPUT_TRAINING_PREVIEW_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "data/proto/music.pb.h"
#include "generate/pictures/canvas.h"
#include "models/config/config.h"
#include "models/network/event_rnn.h"

namespace continuo {

// `count` outputs of about eight bars (performances: ten seconds) at
// temperature 1. Melodies begin with an event drawn by `seed` (DrawFirstEvent),
// drums with a bass drum, performances with silence. The same seed gives the
// same draws, so that what differs between two steps of a training comes from
// its weights. InvalidArgument if the weights have diverged. `stop` is asked
// after each event; once it is true the outputs end where they are.
absl::StatusOr<std::vector<tensorflow::magenta::NoteSequence>> GeneratePreviews(
    const EventRnn& rnn, const ModelConfig& config, uint64_t seed, int count,
    const std::function<bool()>& stop = nullptr);

// Four of them as piano rolls, one picture each, small enough to be read in
// TensorBoard without a click.
absl::StatusOr<std::vector<Canvas>> RenderPreviews(
    const EventRnn& rnn, const ModelConfig& config, uint64_t seed,
    const std::function<bool()>& stop = nullptr);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_OUTPUT_TRAINING_PREVIEW_H_
