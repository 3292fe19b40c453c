// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/controls.h"

#include <algorithm>
#include <bitset>

#include "data/events/performance/performance.h"

namespace continuo {
namespace {

constexpr int64_t kDensityWindow = 3 * kPerformanceStepsPerSecond;    // steps
constexpr int64_t kHistogramWindow = 5 * kPerformanceStepsPerSecond;  // steps
constexpr double kHistogramPrior = 0.01;                              // seconds
constexpr int kNotesPerOctave = 12;

using enum PerformanceEventType;

double DensityAt(absl::Span<const Event> performance, size_t position) {
  int64_t steps = 0;
  int64_t notes = 0;
  for (size_t j = position; j < performance.size() && steps < kDensityWindow;
       ++j) {
    if (PerformanceTypeOf(performance[j]) == kNoteOn) ++notes;
    steps += PerformanceEventSteps(performance[j]);
  }
  if (steps == 0) return 0;
  return static_cast<double>(notes * kPerformanceStepsPerSecond) /
         static_cast<double>(std::min(steps, kDensityWindow));
}

using Pitches = std::bitset<128>;

// Follows the notes that sound; other events change nothing.
void Follow(Event event, Pitches* sounding) {
  const auto pitch = static_cast<size_t>(PerformanceValueOf(event));
  if (PerformanceTypeOf(event) == kNoteOn) sounding->set(pitch);
  if (PerformanceTypeOf(event) == kNoteOff) sounding->reset(pitch);
}

// `sounding`: what sounds after the event at `position`.
PitchHistogram HistogramAt(absl::Span<const Event> performance, size_t position,
                           Pitches sounding) {
  PitchHistogram histogram;
  histogram.fill(kHistogramPrior);
  int64_t steps = 0;
  for (size_t j = position; j < performance.size() && steps < kHistogramWindow;
       ++j) {
    Follow(performance[j], &sounding);
    const int64_t shift = PerformanceEventSteps(performance[j]);
    if (shift == 0) continue;
    const double seconds =
        static_cast<double>(shift) / kPerformanceStepsPerSecond;
    for (size_t pitch = 0; pitch < sounding.size(); ++pitch) {
      if (sounding.test(pitch)) histogram[pitch % kNotesPerOctave] += seconds;
    }
    steps += shift;
  }
  return histogram;
}

// The first event and those after a time shift are measured; the others are at
// the same time as the one before.
bool IsMeasured(absl::Span<const Event> performance, size_t position) {
  return position == 0 ||
         PerformanceTypeOf(performance[position - 1]) == kTimeShift;
}

}  // namespace

int ControlSpec::width() const {
  int width = optional ? 1 : 0;
  if (density) width += static_cast<int>(kDensityBins.size()) + 1;
  if (histogram) width += kNotesPerOctave;
  return width;
}

std::vector<double> MeasureDensity(absl::Span<const Event> performance) {
  std::vector<double> densities(performance.size());
  for (size_t i = 0; i < performance.size(); ++i) {
    densities[i] = IsMeasured(performance, i) ? DensityAt(performance, i)
                                              : densities[i - 1];
  }
  return densities;
}

std::vector<PitchHistogram> MeasureHistogram(
    absl::Span<const Event> performance) {
  std::vector<PitchHistogram> histograms(performance.size());
  Pitches sounding;
  for (size_t i = 0; i < performance.size(); ++i) {
    Follow(performance[i], &sounding);
    histograms[i] = IsMeasured(performance, i)
                        ? HistogramAt(performance, i, sounding)
                        : histograms[i - 1];
  }
  return histograms;
}

std::vector<ControlValues> MeasureControls(
    const ControlSpec& spec, absl::Span<const Event> performance) {
  std::vector<ControlValues> values(performance.size());
  if (spec.density) {
    const std::vector<double> densities = MeasureDensity(performance);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i].notes_per_second = densities[i];
    }
  }
  if (spec.histogram) {
    const std::vector<PitchHistogram> histograms =
        MeasureHistogram(performance);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i].pitch_class_histogram = histograms[i];
    }
  }
  return values;
}

void AddControls(const ControlSpec& spec, const ControlValues& values,
                 SparseRows* rows) {
  int column = 0;
  if (spec.optional) {
    if (values.disabled) {
      rows->Add(column, 1.0f);
      return;
    }
    ++column;
  }
  if (spec.density) {
    const auto bin = std::upper_bound(kDensityBins.begin(), kDensityBins.end(),
                                      values.notes_per_second) -
                     kDensityBins.begin();
    rows->Add(column + static_cast<int>(bin), 1.0f);
    column += static_cast<int>(kDensityBins.size()) + 1;
  }
  if (spec.histogram) {
    double sum = 0;
    for (double weight : values.pitch_class_histogram) sum += weight;
    for (int i = 0; i < kNotesPerOctave; ++i) {
      const auto share =
          static_cast<float>(sum > 0 ? values.pitch_class_histogram[i] / sum
                                     : 1.0 / kNotesPerOctave);
      if (share != 0.0f) rows->Add(column + i, share);
    }
  }
}

}  // namespace continuo
