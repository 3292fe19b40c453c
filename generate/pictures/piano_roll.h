// SPDX-License-Identifier: Apache-2.0

// Note sequences as pictures: one piano roll a file.

#ifndef CONTINUO_GENERATE_PICTURES_PIANO_ROLL_H_
#define CONTINUO_GENERATE_PICTURES_PIANO_ROLL_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "data/proto/music.pb.h"
#include "generate/pictures/canvas.h"

namespace continuo {

struct PianoRollPanel {
  std::string title;
  tensorflow::magenta::NoteSequence sequence;
};

// Pixels from the octave names to the end of the roll.
inline constexpr int kPanelWidth = 780;

// The start of every bar in seconds and, last, the end of the one in which the
// sequence ends, by its tempos (120 if none) and time signatures (4/4 if
// none); at least one bar, and at most `max_bars`.
std::vector<double> BarTimes(const tensorflow::magenta::NoteSequence& sequence,
                             int max_bars = 4096);

// Panels side by side, as many columns as suit their number: time in bars from
// left to right, pitch upwards with the octaves named, colors by instrument,
// stronger for louder notes. At least one panel, each `panel_width` wide.
Canvas RenderPianoRolls(absl::Span<const PianoRollPanel> panels,
                        int panel_width = kPanelWidth);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_PICTURES_PIANO_ROLL_H_
