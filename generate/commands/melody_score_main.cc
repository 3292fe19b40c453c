// SPDX-License-Identifier: Apache-2.0

// melody_rnn_score: melody-specific flags and entry point.

#include "absl/flags/flag.h"
#include "data/events/dataset/melody_pipeline.h"
#include "generate/commands/score_main.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(std::string, melody_encoder_decoder, "",
          "onehot, lookback or key: in place of --config");
ABSL_FLAG(int, min_bars, 0, "Skip melodies with fewer bars (data sets: 7)");
ABSL_FLAG(int, min_unique_pitches, 0,
          "Skip melodies with fewer distinct pitch classes (data sets: 5)");
ABSL_FLAG(int64_t, max_steps, 0,
          "Cut melodies to N steps (data sets: 512); 0 disables");
ABSL_FLAG(bool, ignore_polyphonic_notes, false,
          "Where notes of an instrument start together, keep the highest "
          "instead of dropping the rest of the instrument");

namespace continuo {
namespace {

// Longer melodies (four hours at 120 beats a minute) are not scored: the rests
// of a damaged file.
constexpr int64_t kMaxSteps = int64_t{1} << 17;

constexpr char kPieces[] =
    "From a file come the melodies that melody_rnn_create_dataset finds in "
    "it:\nsplit where metre or tempo change, one instrument at a time, ended "
    "by a bar of\nsilence, moved to the range and key of the model. But none "
    "is too short and\nnone is cut: --min_bars=7 --min_unique_pitches=5 "
    "--max_steps=512 gives the\ndata set's.";

absl::StatusOr<std::unique_ptr<DatasetPipeline>> MakePipeline(
    const ModelConfig& config) {
  MelodyPipelineOptions options = {
      .encoding = config.encoding,
      .steps_per_quarter = config.steps_per_quarter};
  MelodyExtractOptions& extract = options.extract;
  extract.min_bars = absl::GetFlag(FLAGS_min_bars);
  extract.min_unique_pitches = absl::GetFlag(FLAGS_min_unique_pitches);
  extract.ignore_polyphonic_notes =
      absl::GetFlag(FLAGS_ignore_polyphonic_notes);
  extract.max_steps_truncate = std::nullopt;
  extract.max_steps_discard = kMaxSteps;
  const int64_t max_steps = absl::GetFlag(FLAGS_max_steps);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("max_steps", max_steps, 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("min_bars", extract.min_bars, 0));
  CONTINUO_RETURN_IF_ERROR(
      CheckAtLeast("min_unique_pitches", extract.min_unique_pitches, 0));
  if (max_steps > 0) extract.max_steps_truncate = max_steps;
  return MakeMelodyPipeline(options);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::ScoreMain(
      argc, argv,
      {.family = continuo::Family::kMelody,
       .pieces = continuo::kPieces,
       .melody_encoder_decoder =
           [] { return absl::GetFlag(FLAGS_melody_encoder_decoder); },
       .make_pipeline = continuo::MakePipeline});
}
