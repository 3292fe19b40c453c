// SPDX-License-Identifier: Apache-2.0

// Control signals of performances: note density and pitch histogram, measured
// or requested, and their input columns (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROLS_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROLS_H_

#include <array>
#include <vector>

#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// Weight of each pitch class, C first; the scale does not matter.
using PitchHistogram = std::array<double, 12>;

inline constexpr double kDefaultNotesPerSecond = 15.0;
// The upper ends of all density bins but the last, in notes per second.
inline constexpr std::array<double, 7> kDensityBins = {1, 2, 4, 8, 16, 32, 64};

// Which signals a configuration is conditioned on.
struct ControlSpec {
  bool density = false;
  bool histogram = false;
  // A first column switches the others off.
  bool optional = false;

  bool any() const { return density || histogram; }
  // Columns of the switch and the signals.
  int width() const;

  friend bool operator==(const ControlSpec&, const ControlSpec&) = default;
};

// What holds at one event. The values are those of a request without any.
struct ControlValues {
  double notes_per_second = kDefaultNotesPerSecond;
  PitchHistogram pitch_class_histogram = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  bool disabled = false;  // only with ControlSpec::optional
};

// Note-ons per second at each event, over the next 3 seconds (fewer at the
// end; 0 if no time is left). Events at one time share a value.
std::vector<double> MeasureDensity(absl::Span<const Event> performance);

// Seconds that each pitch class sounds, at each event, over the next 5 seconds
// and the rest of the time shift that crosses their end, on top of 0.01.
std::vector<PitchHistogram> MeasureHistogram(
    absl::Span<const Event> performance);

// Both as far as `spec` asks for them, one element per event.
std::vector<ControlValues> MeasureControls(const ControlSpec& spec,
                                           absl::Span<const Event> performance);

// Adds the columns [0, spec.width()) to the row being built: the switch, the
// one-hot of the density bin, the histogram divided by its sum (flat if that
// is not positive).
void AddControls(const ControlSpec& spec, const ControlValues& values,
                 SparseRows* rows);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROLS_H_
