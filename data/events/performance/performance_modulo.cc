// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/performance_modulo.h"

#include <cmath>
#include <memory>
#include <numbers>

#include "data/events/performance/performance.h"
#include "data/events/performance/performance_one_hot.h"

namespace continuo {
namespace {

// Adds the point at `value` of `period` on the unit circle; a zero coordinate
// is no entry.
void AddPoint(int column, int64_t value, int period, SparseRows* rows) {
  const double angle = 2.0 * std::numbers::pi * static_cast<double>(value) /
                       static_cast<double>(period);
  const auto cosine = static_cast<float>(std::cos(angle));
  const auto sine = static_cast<float>(std::sin(angle));
  if (cosine != 0.0f) rows->Add(column, cosine);
  if (sine != 0.0f) rows->Add(column + 1, sine);
}

void AddPitch(int column, int64_t pitch, SparseRows* rows) {
  constexpr int kPitchPeriod = 144;  // twelve octaves
  constexpr int kNotesPerOctave = 12;
  rows->Add(column, 1.0f);
  AddPoint(column + 1, pitch, kPitchPeriod, rows);
  AddPoint(column + 3, pitch % kNotesPerOctave, kNotesPerOctave, rows);
}

}  // namespace

ModuloPerformanceEncoder::ModuloPerformanceEncoder(int num_velocity_bins)
    : OneHotEncoder(std::make_unique<PerformanceOneHot>(num_velocity_bins)),
      num_velocity_bins_(num_velocity_bins) {}

absl::Status ModuloPerformanceEncoder::EncodeInputs(
    absl::Span<const Event> events, int begin, int end,
    SparseRows* rows) const {
  rows->width = input_size();
  for (int position = begin; position < end; ++position) {
    const Event event = events[position];
    const int64_t value = PerformanceValueOf(event);
    if (one_hot().EventToIndex(event) < 0) return one_hot().OutOfRange(event);
    switch (PerformanceTypeOf(event)) {
      case PerformanceEventType::kNoteOn:
        AddPitch(0, value, rows);
        break;
      case PerformanceEventType::kNoteOff:
        AddPitch(5, value, rows);
        break;
      case PerformanceEventType::kTimeShift:
        rows->Add(10, 1.0f);
        AddPoint(11, value - 1, kMaxShiftSteps, rows);
        break;
      case PerformanceEventType::kVelocity:
        rows->Add(13, 1.0f);
        AddPoint(14, value - 1, num_velocity_bins_, rows);
        break;
      case PerformanceEventType::kNoteTuple:
        break;  // has no index
    }
    rows->EndRow();
  }
  return absl::OkStatus();
}

}  // namespace continuo
