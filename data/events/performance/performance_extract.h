// SPDX-License-Identifier: Apache-2.0

// Extraction of performances from a NoteSequence quantized at 100 steps per
// second (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_EXTRACT_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_EXTRACT_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "data/events/performance/performance.h"
#include "data/proto/music.pb.h"

namespace continuo {

struct PerformanceExtractOptions {
  int64_t start_step = 0;     // earlier notes are ignored
  int num_velocity_bins = 0;  // 0: no velocity events
  bool note_tuples = false;   // whole notes instead of ons and offs
  std::optional<int64_t> max_events_truncate = std::nullopt;
  std::optional<int64_t> min_events_discard = std::nullopt;
};

// The settings of the dataset pipeline: 32 to 512 events.
PerformanceExtractOptions TrainingPerformanceOptions(int num_velocity_bins,
                                                     bool note_tuples);

struct PerformanceExtraction {
  // Nothing if one of the counters of discarded performances is set.
  std::optional<Performance> performance;

  int64_t performances_discarded_too_short = 0;
  int64_t performances_truncated = 0;
  int64_t performances_discarded_more_than_1_program = 0;
  // Note tuples only: a distance or length of more than 1000 steps.
  int64_t performance_discarded_too_many_time_shift_steps = 0;
  int64_t performance_discarded_too_many_duration_steps = 0;
};

// Performances of more events are refused where nothing truncates them.
inline constexpr int64_t kMaxPerformanceEvents = int64_t{1} << 26;

// All notes of the sequence as one performance, drums included. `quantized`
// comes from QuantizeAbsolute(100). InvalidArgument for a pitch or (with
// velocity bins) a velocity outside MIDI's range or (as tuples) a note that
// ends before it starts, ResourceExhausted for more than kMaxPerformanceEvents.
absl::StatusOr<PerformanceExtraction> ExtractPerformance(
    const tensorflow::magenta::NoteSequence& quantized,
    const PerformanceExtractOptions& options);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_EXTRACT_H_
