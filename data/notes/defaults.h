// SPDX-License-Identifier: Apache-2.0

// What a score means where it says nothing.

#ifndef CONTINUO_DATA_NOTES_DEFAULTS_H_
#define CONTINUO_DATA_NOTES_DEFAULTS_H_

namespace continuo {

// Quarter notes a minute: Magenta's, and what a MIDI file means that sets no
// tempo.
inline constexpr double kDefaultQpm = 120.0;

// Ticks per quarter of sequences that come from no MIDI file, as in Magenta.
inline constexpr int kDefaultTicksPerQuarter = 220;

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_DEFAULTS_H_
