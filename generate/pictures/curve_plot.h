// SPDX-License-Identifier: Apache-2.0

// The training curve of a run as a picture.

#ifndef CONTINUO_GENERATE_PICTURES_CURVE_PLOT_H_
#define CONTINUO_GENERATE_PICTURES_CURVE_PLOT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "generate/pictures/canvas.h"

namespace continuo {

// One line of a log: the loss at a step.
struct CurvePoint {
  double step = 0;
  double bits = 0;  // per event
};

struct CurveLog {
  std::vector<CurvePoint> points;  // steps ascend; a restarted run's win
  std::optional<double> unigram_bits;
};

// Reads the lines of a log.jsonl: "step", and "bits_per_event" or, without it,
// "loss" in nats; "unigram_bits_per_event" of the last line that has it. A line
// incomplete (the run may still be training) and steps without a finite loss
// are left out; of a run that has just begun nothing may be left.
// InvalidArgument for what has lines, but no step among them.
absl::StatusOr<CurveLog> ParseCurveLog(absl::string_view text);

// Each point's mean with up to `reach` neighbours on either side: the same
// number on both, so that a steep start is not shifted, but for the last
// points, which have none behind them.
std::vector<CurvePoint> Smooth(const std::vector<CurvePoint>& points,
                               size_t reach);

// Bits per event against steps: training faint and smoothed, evaluation as
// dots, the unigram baseline dashed. A log without points is left out.
Canvas RenderCurve(absl::string_view title, const CurveLog& training,
                   const CurveLog* evaluation);

// Round numbers within [low, high], about `count` of them, with one distance.
std::vector<double> NiceTicks(double low, double high, int count);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_PICTURES_CURVE_PLOT_H_
