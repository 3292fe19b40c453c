// SPDX-License-Identifier: Apache-2.0

// The tempos of a score: from ticks to seconds.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TIMELINE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TIMELINE_H_

#include <cstdint>
#include <vector>

namespace continuo {

// One tempo after another, for all parts.
class Timeline {
 public:
  struct Segment {
    int64_t tick = 0;
    double seconds = 0;  // at `tick`
    double qpm = 120;
  };

  // 120 quarters per minute until told otherwise.
  explicit Timeline(int64_t ticks_per_quarter);

  // From `tick` on, which is not before that of the last call.
  void SetTempo(int64_t tick, double qpm);

  double Seconds(int64_t tick) const;

  // Neighbours differ in tempo and tick.
  const std::vector<Segment>& segments() const { return segments_; }

 private:
  double SecondsFrom(const Segment& segment, int64_t tick) const;

  double ticks_per_quarter_;
  std::vector<Segment> segments_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TIMELINE_H_
