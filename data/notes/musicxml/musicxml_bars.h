// SPDX-License-Identifier: Apache-2.0

// How long the measures of a score are, and the time signatures of its bars.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_BARS_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_BARS_H_

#include <vector>

#include "data/notes/musicxml/musicxml_attributes.h"
#include "data/notes/musicxml/musicxml_score.h"

namespace continuo {

// A written measure with what holds in it.
struct Bar {
  Ticks length = 0;
  const ScoreMeter* meter = nullptr;  // at its start; null for none
};

// The lengths of the measures: that of the longest content of any part, so that
// parts stay together; of rests alone, no more than the time signature says; of
// a measure without content, what the signature says.
std::vector<Bar> MeasureBars(const WrittenScore& score);

struct PlayedMeasure {
  int index = 0;  // of the written measure
  Ticks start = 0;
};

struct TimedMeter {
  Ticks time = 0;
  Meter meter;
};

// The time signatures of measures as they are played, each where it differs
// from the one before. A measure that is shorter or longer than its signature
// says, such as a pickup, gets a signature of its length, so that bars stay
// where they are; except two measures that together make one (at a repeat in
// the middle of a bar) and a short last one.
std::vector<TimedMeter> PlayedMeters(const WrittenScore& score,
                                     const std::vector<Bar>& bars,
                                     const std::vector<PlayedMeasure>& played);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_BARS_H_
