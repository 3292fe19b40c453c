// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/performance.h"

#include <algorithm>
#include <array>
#include <deque>

#include "absl/strings/str_cat.h"
#include "data/events/performance/note_tuple.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr int kTicksPerQuarter = 220;
constexpr double kSecondsPerStep = 1.0 / kPerformanceStepsPerSecond;

bool IsShift(Event event) {
  return PerformanceTypeOf(event) == PerformanceEventType::kTimeShift;
}

bool HasTuples(const Performance& performance) {
  return !performance.events.empty() &&
         PerformanceTypeOf(performance.events[0]) ==
             PerformanceEventType::kNoteTuple;
}

Event Shift(int64_t steps) {
  return MakePerformanceEvent(PerformanceEventType::kTimeShift, steps);
}

void CutTuples(int64_t steps, Performance* performance) {
  std::vector<Event>& events = performance->events;
  int64_t start = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    NoteTuple tuple = UnpackNoteTuple(events[i]);
    start += tuple.shift;
    if (start >= steps) {
      events.resize(i);
      return;
    }
    tuple.duration =
        static_cast<int>(std::min<int64_t>(tuple.duration, steps - start));
    events[i] = PackNoteTuple(tuple);
  }
}

// Turns steps into notes of one sequence.
struct NoteWriter {
  double start_time;
  int instrument;
  int program;
  bool is_drum;
  std::optional<double> max_duration;
  NoteSequence* sequence;

  void Add(int64_t start_step, int64_t end_step, int pitch, int velocity) {
    NoteSequence::Note* note = sequence->add_notes();
    // The order of these products and sums is Magenta's, to the last bit.
    const double start =
        static_cast<double>(start_step) * kSecondsPerStep + start_time;
    double end = static_cast<double>(end_step) * kSecondsPerStep + start_time;
    if (max_duration.has_value() && end - start > *max_duration) {
      end = start + *max_duration;
    }
    note->set_start_time(start);
    note->set_end_time(end);
    note->set_pitch(pitch);
    note->set_velocity(velocity);
    note->set_instrument(instrument);
    note->set_program(program);
    note->set_is_drum(is_drum);
    sequence->set_total_time(std::max(sequence->total_time(), end));
  }
};

void WriteTuples(const Performance& performance, NoteWriter* writer) {
  int64_t step = 0;
  for (Event event : performance.events) {
    const NoteTuple tuple = UnpackNoteTuple(event);
    step += tuple.shift;
    writer->Add(
        step, step + tuple.duration, tuple.pitch,
        VelocityOfBin(tuple.velocity_bin, performance.num_velocity_bins));
  }
}

void WriteEvents(const Performance& performance, int velocity,
                 NoteWriter* writer) {
  struct Onset {
    int64_t step;
    int velocity;
  };
  std::array<std::deque<Onset>, 128> sounding;
  // Pitches in the order they were first met, in which Magenta ends what still
  // sounds.
  std::vector<int> met;
  std::array<bool, 128> is_met{};
  int64_t step = 0;
  for (Event event : performance.events) {
    const auto value = static_cast<int>(PerformanceValueOf(event));
    switch (PerformanceTypeOf(event)) {
      case PerformanceEventType::kTimeShift:
        step += value;
        break;
      case PerformanceEventType::kVelocity:
        velocity = VelocityOfBin(value, performance.num_velocity_bins);
        break;
      case PerformanceEventType::kNoteOn:
      case PerformanceEventType::kNoteOff: {
        if (!is_met[value]) met.push_back(value);
        is_met[value] = true;
        std::deque<Onset>& onsets = sounding[value];
        if (PerformanceTypeOf(event) == PerformanceEventType::kNoteOn) {
          onsets.push_back({step, velocity});
        } else if (!onsets.empty()) {
          const Onset onset = onsets.front();
          onsets.pop_front();
          if (onset.step == step) break;
          writer->Add(onset.step, step, value, onset.velocity);
        }
        break;
      }
      case PerformanceEventType::kNoteTuple:
        CheckFailed(__FILE__, __LINE__, "no tuples among other events");
    }
  }
  for (int pitch : met) {
    for (const Onset& onset : sounding[pitch]) {
      if (onset.step == step) continue;
      writer->Add(onset.step, step, pitch, onset.velocity);
    }
  }
}

}  // namespace

int64_t PerformanceEventSteps(Event event) {
  switch (PerformanceTypeOf(event)) {
    case PerformanceEventType::kTimeShift:
      return PerformanceValueOf(event);
    case PerformanceEventType::kNoteTuple:
      return UnpackNoteTuple(event).shift;
    default:
      return 0;
  }
}

std::string PerformanceEventName(Event event) {
  const int64_t value = PerformanceValueOf(event);
  switch (PerformanceTypeOf(event)) {
    case PerformanceEventType::kNoteOn:
      return absl::StrCat("NOTE_ON ", value);
    case PerformanceEventType::kNoteOff:
      return absl::StrCat("NOTE_OFF ", value);
    case PerformanceEventType::kTimeShift:
      return absl::StrCat("TIME_SHIFT ", value);
    case PerformanceEventType::kVelocity:
      return absl::StrCat("VELOCITY ", value);
    case PerformanceEventType::kNoteTuple: {
      const NoteTuple tuple = UnpackNoteTuple(event);
      return absl::StrCat("(TIME_SHIFT ", tuple.shift, ", NOTE_ON ",
                          tuple.pitch, ", VELOCITY ", tuple.velocity_bin,
                          ", DURATION ", tuple.duration, ")");
    }
  }
  return absl::StrCat("unknown event ", event);
}

int64_t PerformanceSteps(const Performance& performance) {
  int64_t steps = 0;
  for (Event event : performance.events) steps += PerformanceEventSteps(event);
  if (HasTuples(performance)) {
    steps += UnpackNoteTuple(performance.events.back()).duration;
  }
  return steps;
}

void SetPerformanceLength(int64_t steps, Performance* performance) {
  CONTINUO_CHECK(steps >= 0);
  if (HasTuples(*performance)) {
    CutTuples(steps, performance);
    return;
  }
  std::vector<Event>& events = performance->events;
  int64_t missing = steps - PerformanceSteps(*performance);
  if (missing > 0 && !events.empty() && IsShift(events.back())) {
    const int64_t last = PerformanceValueOf(events.back());
    const int64_t added =
        std::clamp<int64_t>(kMaxShiftSteps - last, 0, missing);
    events.back() = Shift(last + added);
    missing -= added;
  }
  while (missing > 0) {
    events.push_back(Shift(std::min<int64_t>(missing, kMaxShiftSteps)));
    missing -= PerformanceValueOf(events.back());
  }
  int64_t excess = -missing;
  while (excess > 0 && !events.empty()) {
    const Event last = events.back();
    events.pop_back();
    if (!IsShift(last)) continue;
    excess -= PerformanceValueOf(last);
    if (excess < 0) events.push_back(Shift(-excess));
  }
}

int VelocityToBin(int velocity, int num_bins) {
  CONTINUO_CHECK(num_bins >= 1 && velocity >= kMinVelocity);
  const int size = (kMaxVelocity - kMinVelocity + 1 + num_bins - 1) / num_bins;
  return (velocity - kMinVelocity) / size + 1;
}

int VelocityOfBin(int bin, int num_bins) {
  CONTINUO_CHECK(num_bins >= 1 && bin >= 1);
  const int size = (kMaxVelocity - kMinVelocity + 1 + num_bins - 1) / num_bins;
  return kMinVelocity + (bin - 1) * size;
}

NoteSequence PerformanceToSequence(
    const Performance& performance,
    const PerformanceToSequenceOptions& options) {
  NoteSequence sequence;
  sequence.set_ticks_per_quarter(kTicksPerQuarter);
  NoteWriter writer{
      .start_time =
          static_cast<double>(performance.start_step) * kSecondsPerStep,
      .instrument = options.instrument,
      .program = options.program.value_or(performance.program.value_or(0)),
      .is_drum = performance.is_drum.value_or(false),
      .max_duration = options.max_note_duration,
      .sequence = &sequence};
  if (HasTuples(performance)) {
    writer.max_duration.reset();
    WriteTuples(performance, &writer);
  } else {
    WriteEvents(performance, options.velocity, &writer);
  }
  return sequence;
}

}  // namespace continuo
