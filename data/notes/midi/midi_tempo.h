// SPDX-License-Identifier: Apache-2.0

// The tempo map of a MIDI file: ticks to seconds and back.
//
// Magenta tabulates the seconds of every tick; this computes the entries on
// demand by the same operations in the same order, so that times are equal to
// the last bit and a file with large ticks costs nothing.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_TEMPO_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_TEMPO_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace continuo {

class TempoMap {
 public:
  // From a tick on, one tick lasts `scale` seconds; `start` is the time of
  // that tick.
  struct Segment {
    int64_t tick;
    double scale;
    double start;
  };

  // One segment from tick 0; scale > 0.
  explicit TempoMap(double scale) : segments_{{0, scale, 0.0}} {}

  // Adds a change at `tick`, not before the last one; scale > 0.
  void Append(int64_t tick, double scale);

  // The time of a tick >= 0. `hint` is a segment number kept by the caller
  // between calls (0 at first) that makes nearby ticks cheap.
  double Seconds(int64_t tick, size_t* hint) const {
    const Segment* segment = &segments_[*hint];
    if (tick < segment->tick ||
        (*hint + 1 < segments_.size() && tick >= segment[1].tick)) {
      *hint = Find(tick);
      segment = &segments_[*hint];
    }
    return segment->start +
           segment->scale * static_cast<double>(tick - segment->tick);
  }
  double Seconds(int64_t tick) const {
    size_t hint = 0;
    return Seconds(tick, &hint);
  }

  // The tick whose time is nearest, as Magenta finds it: the earlier one only
  // if strictly nearer up to the last change, half to even after it. As a
  // double, since nothing bounds the time; `seconds` must be finite.
  double Tick(double seconds) const;

  const std::vector<Segment>& segments() const { return segments_; }

 private:
  size_t Find(int64_t tick) const;
  double TimeInSegment(size_t segment, int64_t tick) const;

  std::vector<Segment> segments_;  // ordered by tick and by start
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_TEMPO_H_
