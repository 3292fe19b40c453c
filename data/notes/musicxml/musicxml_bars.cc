// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_bars.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>

namespace continuo {
namespace {

// In ticks; nothing if that is too long.
std::optional<Ticks> MeterTicks(const Meter& meter, Ticks ticks_per_quarter) {
  const double ticks = 4.0 * static_cast<double>(ticks_per_quarter) *
                       meter.numerator / meter.denominator;
  if (ticks > static_cast<double>(kMaxMeasureTicks)) return std::nullopt;
  return static_cast<Ticks>(ticks);
}

// `length` as a time signature, in beats of `denominator` where that is
// possible. Nothing for lengths that no time signature has, such as those of
// badly rounded tuplets.
std::optional<Meter> LengthAsMeter(Ticks length, Ticks ticks_per_quarter,
                                   int denominator) {
  constexpr int64_t kShortestBeat = 64;
  const int64_t whole = 4 * ticks_per_quarter;
  const int64_t divisor = std::gcd(length, whole);
  int64_t beats = length / divisor;
  int64_t beat_type = whole / divisor;
  if (kShortestBeat % beat_type != 0 || beats == 0 || beats > 1000) {
    return std::nullopt;
  }
  if (denominator % beat_type == 0) {
    beats *= denominator / beat_type;
    beat_type = denominator;
  }
  return Meter{static_cast<int>(beats), static_cast<int>(beat_type)};
}

class MeterPlan {
 public:
  MeterPlan(const WrittenScore& score, const std::vector<Bar>& bars,
            const std::vector<PlayedMeasure>& played)
      : score_(score), bars_(bars), played_(played) {}

  std::vector<TimedMeter> Make() {
    for (size_t i = 0; i < played_.size(); ++i) {
      const WrittenMeasure& measure = score_.measures[played_[i].index];
      const bool changes_within =
          !measure.meters.empty() && measure.meters.back().start > 0;
      if (changes_within) {
        if (const ScoreMeter* meter = BarAt(i).meter) {
          Add(played_[i].start, meter->meter);
        }
        for (const WrittenMeter& written : measure.meters) {
          if (written.start == 0 || !written.meter.has_value()) continue;
          Add(played_[i].start + std::min(written.start, BarAt(i).length),
              written.meter->meter);
        }
      } else if (const std::optional<Meter> meter = MeterOf(i)) {
        Add(played_[i].start, *meter);
      }
    }
    return std::move(plan_);
  }

 private:
  const Bar& BarAt(size_t i) const { return bars_[played_[i].index]; }

  void Add(Ticks time, const Meter& meter) {
    if (!plan_.empty()) {
      const Meter& last = plan_.back().meter;
      if (last.numerator == meter.numerator &&
          last.denominator == meter.denominator) {
        return;
      }
      if (plan_.back().time == time) {
        plan_.pop_back();
        Add(time, meter);
        return;
      }
    }
    plan_.push_back({time, meter});
  }

  // The time signature of played measure `i`; nothing to keep the last one.
  std::optional<Meter> MeterOf(size_t i) {
    const Bar& bar = BarAt(i);
    if (bar.length == 0) return std::nullopt;
    if (bar.meter == nullptr) {
      return LengthAsMeter(bar.length, score_.ticks_per_quarter, 4);
    }
    const ScoreMeter& written = *bar.meter;
    const auto nominal = MeterTicks(written.meter, score_.ticks_per_quarter);
    const bool completes = completes_bar_;
    completes_bar_ = false;
    if (completes || nominal == bar.length) return written.meter;
    for (const Meter& component : written.components) {
      if (MeterTicks(component, score_.ticks_per_quarter) == bar.length) {
        return component;
      }
    }
    if (i + 1 == played_.size()) {
      if (bar.length < nominal) return written.meter;
    } else if (written.components.empty() && BarAt(i + 1).meter != nullptr &&
               bar.length + BarAt(i + 1).length == nominal &&
               SameLength(BarAt(i + 1).meter->meter, written.meter)) {
      completes_bar_ = true;
      return written.meter;
    }
    return LengthAsMeter(bar.length, score_.ticks_per_quarter,
                         written.meter.denominator)
        .value_or(written.meter);
  }

  const WrittenScore& score_;
  const std::vector<Bar>& bars_;
  const std::vector<PlayedMeasure>& played_;
  std::vector<TimedMeter> plan_;
  bool completes_bar_ = false;  // the next measure, the one before
};

}  // namespace

std::vector<Bar> MeasureBars(const WrittenScore& score) {
  std::vector<Bar> bars;
  bars.reserve(score.measures.size());
  const ScoreMeter* meter = nullptr;
  const auto take = [&](const WrittenMeter& written) {
    meter = written.meter.has_value() ? &*written.meter : nullptr;
  };
  for (const WrittenMeasure& measure : score.measures) {
    for (const WrittenMeter& written : measure.meters) {
      if (written.start == 0) take(written);
    }
    Bar bar{.length = measure.extent, .meter = meter};
    std::optional<Ticks> nominal;
    if (meter != nullptr) {
      nominal = MeterTicks(meter->meter, score.ticks_per_quarter);
    }
    if (!measure.is_implicit || measure.extent == 0) {
      bar.length =
          std::max(bar.length, nominal.has_value()
                                   ? std::min(measure.measure_rest, *nominal)
                                   : measure.measure_rest);
    }
    if (bar.length == 0) bar.length = nominal.value_or(0);
    bars.push_back(bar);
    if (!measure.meters.empty()) take(measure.meters.back());
  }
  return bars;
}

std::vector<TimedMeter> PlayedMeters(const WrittenScore& score,
                                     const std::vector<Bar>& bars,
                                     const std::vector<PlayedMeasure>& played) {
  return MeterPlan(score, bars, played).Make();
}

}  // namespace continuo
