// SPDX-License-Identifier: Apache-2.0

#include "generate/pictures/curve_plot.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "generate/pictures/palette.h"
#include "runtime/base/json.h"

namespace continuo {
namespace {

constexpr Color kGrid = {230, 234, 240};
constexpr Color kTraining = {31, 99, 181};
constexpr Color kEvaluation = {214, 96, 39};
constexpr Color kBaseline = {110, 118, 130};

constexpr int kWidth = 1280;
constexpr int kHeight = 720;

// Neighbours in the smoothed curve; more would not show in the picture.
constexpr size_t kMaxReach = 100;

// Losses and steps beyond it are none of a training, and their differences must
// not overflow.
constexpr double kMaxNumber = 1e30;

// A number under `key` that can be drawn.
std::optional<double> Number(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  // Written so that a number that is none fails too.
  if (!(std::abs(value) <= kMaxNumber)) return std::nullopt;
  return value;
}

// The frame of the plot and what it shows.
struct Axes {
  double left = 110, top = 70, right = kWidth - 40, bottom = kHeight - 90;
  double first_step, last_step;
  double low, high;

  Point At(CurvePoint point) const {
    return {left + (right - left) * (point.step - first_step) /
                       (last_step - first_step),
            bottom - (bottom - top) * (point.bits - low) / (high - low)};
  }
};

Axes FitAxes(const CurveLog& training, const CurveLog* evaluation) {
  Axes axes;
  axes.first_step = 0;
  axes.last_step = 1;
  // Losses are compared with zero, the loss of a model that knows all.
  axes.low = axes.high = 0;
  const auto include = [&](double bits) {
    axes.low = std::min(axes.low, bits);
    axes.high = std::max(axes.high, bits);
  };
  for (const CurveLog* log : {&training, evaluation}) {
    if (log == nullptr) continue;
    for (const CurvePoint& point : log->points) {
      include(point.bits);
      axes.last_step = std::max(axes.last_step, point.step);
    }
  }
  if (training.unigram_bits) include(*training.unigram_bits);
  axes.high = std::max(axes.high * 1.05, axes.low + 0.1);
  return axes;
}

std::string TickText(double value, double distance) {
  constexpr double kLarge = 1e7;  // more digits would not fit
  if (std::abs(value) >= kLarge) return absl::StrFormat("%.3g", value);
  const int digits = std::clamp(
      static_cast<int>(std::ceil(-std::log10(distance) - 1e-9)), 0, 6);
  return absl::StrFormat("%.*f", digits, value);
}

void DrawAxes(const Axes& axes, Canvas* canvas) {
  const auto bits = NiceTicks(axes.low, axes.high, 8);
  for (const double tick : bits) {
    const double y = axes.At({axes.first_step, tick}).y;
    canvas->FillBox(axes.left, y - 0.5, axes.right, y + 0.5, kGrid);
    canvas->FillBox(axes.left - 6, y - 0.5, axes.left, y + 0.5, kFaintInk);
    canvas->Text(axes.left - 12, y - 7, TickText(tick, bits[1] - bits[0]), 2,
                 kInk, Align::kRight);
  }
  const auto steps = NiceTicks(axes.first_step, axes.last_step, 8);
  for (const double tick : steps) {
    const double x = axes.At({tick, axes.low}).x;
    canvas->FillBox(x - 0.5, axes.top, x + 0.5, axes.bottom, kGrid);
    canvas->FillBox(x - 0.5, axes.bottom, x + 0.5, axes.bottom + 6, kFaintInk);
    canvas->Text(x, axes.bottom + 14, TickText(tick, steps[1] - steps[0]), 2,
                 kInk, Align::kCenter);
  }
  canvas->FillBox(axes.left - 0.75, axes.top, axes.left + 0.75, axes.bottom,
                  kFaintInk);
  canvas->FillBox(axes.left, axes.bottom - 0.75, axes.right, axes.bottom + 0.75,
                  kFaintInk);
  canvas->Text((axes.left + axes.right) / 2, axes.bottom + 44, "training step",
               2, kInk, Align::kCenter);
  canvas->Text(axes.left - 92, axes.top - 32, "loss in bits per event", 2,
               kInk);
}

std::vector<Point> Points(const Axes& axes,
                          const std::vector<CurvePoint>& curve) {
  std::vector<Point> points;
  for (const CurvePoint& point : curve) points.push_back(axes.At(point));
  // A dot for a run that has one line.
  if (points.size() == 1) points.push_back(points[0]);
  return points;
}

}  // namespace

absl::StatusOr<CurveLog> ParseCurveLog(absl::string_view text) {
  CurveLog log;
  std::map<double, double> points;
  bool steps = false;
  bool other = false;
  for (const absl::string_view row :
       absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    const Json line = ParseJson(row);
    if (!line.is_object()) {
      // The last line may be incomplete while the run is training.
      other = other || row.front() != '{' || row.end() != text.end();
      continue;
    }
    if (const auto bits = Number(line, "unigram_bits_per_event")) {
      log.unigram_bits = bits;
    }
    const auto step = Number(line, "step");
    auto bits = Number(line, "bits_per_event");
    if (!bits) {
      bits = Number(line, "loss");
      if (bits) *bits /= std::log(2.0);
    }
    if (step && bits && *step >= 0) points[*step] = *bits;
    const bool loss = line.contains("bits_per_event") || line.contains("loss");
    (step && loss ? steps : other) = true;
  }
  for (const auto& [step, bits] : points) log.points.push_back({step, bits});
  if (other && !steps) {
    return absl::InvalidArgumentError(
        "no line with a \"step\" and its \"bits_per_event\" or \"loss\"; is it "
        "the log.jsonl of a run?");
  }
  return log;
}

std::vector<CurvePoint> Smooth(const std::vector<CurvePoint>& points,
                               size_t reach) {
  std::vector<CurvePoint> smooth;
  for (size_t i = 0; i < points.size(); ++i) {
    const size_t side = std::min(i, reach);
    const size_t end = std::min(i + side + 1, points.size());
    double sum = 0;
    for (size_t k = i - side; k < end; ++k) sum += points[k].bits;
    smooth.push_back(
        {points[i].step, sum / static_cast<double>(end - (i - side))});
  }
  return smooth;
}

std::vector<double> NiceTicks(double low, double high, int count) {
  const double raw = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double distance = 10 * power;
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * power >= raw * (1 - 1e-9)) {
      distance = step * power;
      break;
    }
  }
  std::vector<double> ticks;
  // Two at least, as callers take their distance; no more than the distance
  // allows, whatever rounding does to numbers that are large beside it.
  const double first = std::ceil(low / distance - 1e-9);
  for (int i = 0; i <= count + 1; ++i) {
    const double tick = (first + i) * distance + 0.0;  // no negative zero
    if (tick > high + distance * 1e-9 && ticks.size() >= 2) break;
    ticks.push_back(tick);
  }
  return ticks;
}

Canvas RenderCurve(absl::string_view title, const CurveLog& training,
                   const CurveLog* evaluation) {
  if (evaluation != nullptr && evaluation->points.empty()) evaluation = nullptr;
  Canvas canvas(kWidth, kHeight, kPaper);
  const Axes axes = FitAxes(training, evaluation);
  canvas.Text(axes.right, axes.top - 32,
              FitText(title, 2, static_cast<int>(axes.right - axes.left) - 240),
              2, kFaintInk, Align::kRight);
  DrawAxes(axes, &canvas);

  // The legend, from the top right corner of the plot downwards.
  const double legend = axes.right - 400;
  double row = axes.top + 18;
  const auto next_row = [&](absl::string_view text, Color color) {
    canvas.Text(legend + 50, row - 7, text, 2, color);
    row += 26;
  };
  canvas.FillBox(legend - 14, axes.top + 1, axes.right - 1,
                 axes.top + (evaluation != nullptr ? 92.0 : 66.0), kPaper, 0.9);

  if (training.unigram_bits) {
    const double bits = *training.unigram_bits;
    canvas.DashedLine(axes.At({axes.first_step, bits}),
                      axes.At({axes.last_step, bits}), 2.5, 12, kBaseline);
    canvas.DashedLine({legend, row}, {legend + 40, row}, 2.5, 8, kBaseline);
    next_row(absl::StrFormat("unigram baseline %.3f", bits), kInk);
  }
  if (training.points.empty()) {
    next_row("training, no step yet", kInk);
  } else {
    canvas.Polyline(Points(axes, training.points), 1.5, kTraining, 0.3);
    const std::vector<CurvePoint> smooth =
        Smooth(training.points,
               std::min<size_t>(training.points.size() / 40, kMaxReach));
    canvas.Polyline(Points(axes, smooth), 3, kTraining);
    canvas.Line({legend, row}, {legend + 40, row}, 3, kTraining);
    next_row(absl::StrFormat("training, at the end %.3f", smooth.back().bits),
             kInk);
  }
  if (evaluation != nullptr) {
    const std::vector<Point> points = Points(axes, evaluation->points);
    canvas.Polyline(points, 1.5, kEvaluation, 0.7);
    for (const Point& point : points) {
      canvas.Line(point, point, 9, kEvaluation);
    }
    canvas.Line({legend + 20, row}, {legend + 20, row}, 9, kEvaluation);
    next_row(absl::StrFormat("evaluation, last %.3f",
                             evaluation->points.back().bits),
             kInk);
  }
  return canvas;
}

}  // namespace continuo
