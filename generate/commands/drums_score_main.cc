// SPDX-License-Identifier: Apache-2.0

// drums_rnn_score: drums-specific flags and entry point.

#include "absl/flags/flag.h"
#include "data/events/dataset/drums_pipeline.h"
#include "generate/commands/score_main.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(int, min_bars, 0, "Skip tracks with fewer bars (data sets: 7)");
ABSL_FLAG(int64_t, max_steps, 0,
          "Cut tracks to N steps (data sets: 512); 0 disables");
ABSL_FLAG(std::string, treat_as_drums, "",
          "Notes that count as drums besides those of MIDI's drum channel "
          "(10): \"all\", or instrument numbers as in \"0,2\"");

namespace continuo {
namespace {

// Longer tracks (four hours at 120 beats a minute) are not scored: the rests
// of a damaged file.
constexpr int64_t kMaxSteps = int64_t{1} << 17;

constexpr char kPieces[] =
    "From a file come the drum tracks that drums_rnn_create_dataset finds in "
    "it:\nsplit where metre or tempo change, all drums together, ended by a "
    "bar of\nsilence. But none is too short and none is cut: --min_bars=7 "
    "--max_steps=512\ngives the data set's.";

absl::StatusOr<std::unique_ptr<DatasetPipeline>> MakePipeline(
    const ModelConfig& config) {
  DrumsPipelineOptions options;
  options.encoding = config.encoding;
  options.steps_per_quarter = config.steps_per_quarter;
  options.extract.min_bars = absl::GetFlag(FLAGS_min_bars);
  options.extract.max_steps_truncate = std::nullopt;
  options.extract.max_steps_discard = kMaxSteps;
  const int64_t max_steps = absl::GetFlag(FLAGS_max_steps);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("max_steps", max_steps, 0));
  CONTINUO_RETURN_IF_ERROR(
      CheckAtLeast("min_bars", options.extract.min_bars, 0));
  if (max_steps > 0) options.extract.max_steps_truncate = max_steps;
  CONTINUO_RETURN_IF_ERROR(
      ParseTreatAsDrums(absl::GetFlag(FLAGS_treat_as_drums), &options));
  return MakeDrumsPipeline(options);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::ScoreMain(
      argc, argv,
      {.family = continuo::Family::kDrums,
       .pieces = continuo::kPieces,
       .melody_encoder_decoder = [] { return std::string(); },
       .make_pipeline = continuo::MakePipeline});
}
