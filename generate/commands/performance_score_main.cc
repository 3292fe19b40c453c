// SPDX-License-Identifier: Apache-2.0

// performance_rnn_score: performance-specific flags and entry point.

#include "absl/flags/flag.h"
#include "data/events/dataset/performance_pipeline.h"
#include "generate/commands/score_main.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(double, split_seconds, 30,
          "Split every N seconds, as data sets are; 0 scores each file as a "
          "whole");
ABSL_FLAG(int64_t, min_events, 0,
          "Skip pieces with fewer events (data sets: 32)");
ABSL_FLAG(int64_t, max_events, 0,
          "Cut pieces to N events (data sets: 512); 0 disables");
ABSL_FLAG(bool, disable_conditioning, false,
          "For models with optional controls: score with the controls switched "
          "off instead of those measured in the piece itself");

namespace continuo {
namespace {

constexpr char kPieces[] =
    "From a file come the pieces that performance_rnn_create_dataset makes of "
    "it\nfor evaluation: the pedal written out, split every 30 seconds, on a "
    "grid of 10\nms, with the controls that are measured in the piece. But "
    "none is too short and\nnone is cut: --min_events=32 --max_events=512 "
    "gives the data set's.";

absl::StatusOr<std::unique_ptr<DatasetPipeline>> MakePipeline(
    const ModelConfig& config) {
  PerformancePipelineOptions options;
  options.encoding = config.encoding;
  options.split_seconds = absl::GetFlag(FLAGS_split_seconds);
  const int64_t min_events = absl::GetFlag(FLAGS_min_events);
  const int64_t max_events = absl::GetFlag(FLAGS_max_events);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("min_events", min_events, 0));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("max_events", max_events, 0));
  CONTINUO_RETURN_IF_ERROR(
      CheckAtLeast("split_seconds", options.split_seconds, 0));
  if (options.split_seconds > 0) {
    // Shorter pieces hold nothing, and many of them fill memory.
    CONTINUO_RETURN_IF_ERROR(
        CheckAtLeast("split_seconds", options.split_seconds, 0.1));
  }
  options.min_events = min_events;
  options.max_events = std::nullopt;
  if (max_events > 0) options.max_events = max_events;
  const bool disable = absl::GetFlag(FLAGS_disable_conditioning);
  if (disable && !config.encoding.controls.optional) {
    return absl::InvalidArgumentError(
        "--disable_conditioning: this model's controls are not optional; leave "
        "the flag out");
  }
  options.controls_disabled = {disable};
  return MakePerformancePipeline(options);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::ScoreMain(
      argc, argv,
      {.family = continuo::Family::kPerformance,
       .pieces = continuo::kPieces,
       .melody_encoder_decoder = [] { return std::string(); },
       .make_pipeline = continuo::MakePipeline});
}
